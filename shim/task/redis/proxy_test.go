package redis_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
)

// proxy stands before a server, and loses answers when it is told to.
type proxy struct {
	net.Listener
	backend atomic.Pointer[string]
	lose    atomic.Int64 // answers that are still to be lost, each with its connection
}

func newProxy(t testing.TB, backend string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l}
	p.backend.Store(&backend)
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

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", *p.backend.Load())
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
		if p.lose.Add(-1) >= 0 {
			return // the deed is done
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}
