package servers

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
)

// Lossy stands before a server, and loses answers when it is told to.
type Lossy struct {
	net.Listener
	Backend atomic.Pointer[string] // the server's address
	Lose    atomic.Int64           // answers that are still to be lost, each with its connection
}

// StartLossy starts one before a server, and ends it when the test ends.
func StartLossy(t testing.TB, backend string) *Lossy {
	t.Helper()
	p := &Lossy{}
	p.Backend.Store(&backend)
	p.Listener = front(t, p.Backend.Load, p.answer)
	return p
}

// front stands before a server, and passes on all that it is sent; answer passes back what
// comes of that. It ends when the test does.
func front(t testing.TB, backend func() *string, answer func(server io.Reader, client io.Writer)) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	serve := func(client net.Conn) {
		defer client.Close()
		server, err := net.Dial("tcp", *backend())
		if err != nil {
			return
		}
		defer server.Close()
		go func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		}()
		answer(server, client)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l
}

func (p *Lossy) answer(server io.Reader, client io.Writer) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		if p.Lose.Add(-1) >= 0 {
			return // the deed is done
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}
