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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Lossy{Listener: l}
	p.Backend.Store(&backend)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *Lossy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", *p.Backend.Load())
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
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
