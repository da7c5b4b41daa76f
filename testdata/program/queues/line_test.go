//go:build linux

package queues

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"sync"
	"testing"

	"nth/testdata/servers"
)

// line is the connection to a server, which can be cut and mended.
type line struct {
	t       *testing.T
	server  string
	address string // where it begins

	told func([]byte) // what a client said; nil: nobody

	mu       sync.Mutex
	listener net.Listener // nil while it is cut
	open     map[net.Conn]bool
	held     *held // nil: every answer is passed on
}

// held are answers with some text in them, as it is or in hexadecimal digits: they are
// passed on when they are let go.
type held struct {
	text        string
	came, letGo chan struct{}
	once        sync.Once
}

// hold holds answers from now on.
func (l *line) hold(text string) *held {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = &held{text: text, came: make(chan struct{}), letGo: make(chan struct{})}
	return l.held
}

func (h *held) wait(answer []byte) {
	if h == nil || !bytes.Contains(answer, []byte(h.text)) && !bytes.Contains(answer, []byte(hex.EncodeToString([]byte(h.text)))) {
		return
	}
	h.once.Do(func() { close(h.came) })
	<-h.letGo
}

// through copies a server's answers to its client.
func (l *line) through(client io.Writer, server io.Reader) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := server.Read(buffer)
		l.mu.Lock()
		h := l.held
		l.mu.Unlock()
		h.wait(buffer[:n])
		if _, broken := client.Write(buffer[:n]); broken != nil || err != nil {
			return
		}
	}
}

type teller func([]byte)

func (t teller) Write(b []byte) (int, error) {
	t(b)
	return len(b), nil
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	return overheard(t, server, nil)
}

// overheard is one of which somebody is told what clients say.
func overheard(t *testing.T, server string, told func([]byte)) *line {
	t.Helper()
	l := &line{t: t, server: server, address: servers.Address(t), told: told, open: map[net.Conn]bool{}}
	l.mend()
	t.Cleanup(l.cut)
	return l
}

// mend lets connections through.
func (l *line) mend() {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		l.t.Fatal(err)
	}
	l.listener = listener
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go l.forward(listener, c)
		}
	}()
}

// cut drops every connection, and refuses new ones.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener == nil {
		return
	}
	_ = l.listener.Close()
	l.listener = nil
	for c := range l.open {
		_ = c.Close()
	}
	clear(l.open)
}

func (l *line) forward(from net.Listener, client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	defer server.Close()
	l.mu.Lock()
	if l.listener != from { // cut in the meantime
		l.mu.Unlock()
		return
	}
	l.open[client], l.open[server] = true, true
	l.mu.Unlock()
	go func() {
		from := io.Reader(client)
		if l.told != nil {
			from = io.TeeReader(client, teller(l.told))
		}
		_, _ = io.Copy(server, from)
		_ = server.Close()
	}()
	l.through(client, server)
}
