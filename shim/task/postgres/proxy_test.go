package postgres

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between nth and the server, and loses what it is told to.
type proxy struct {
	net.Listener
	server string

	mu       sync.Mutex
	requests int  // of statements to be lost, and their connections with them
	answers  int  // to statements
	hole     bool // nothing is forwarded to the client, and nothing closed
	clients  []net.Conn
}

func startProxy(t testing.TB, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{Listener: l, server: server}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return p
}

// url is address as if the server were here.
func (p *proxy) url(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = p.Addr().String()
	return u.String()
}

func (p *proxy) set(requests, answers int, hole bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests, p.answers, p.hole = requests, answers, hole
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clients {
		c.Close()
	}
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	p.clients = append(p.clients, client)
	p.mu.Unlock()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer client.Close()
		defer server.Close()
		p.copy(client, server, 'P', &p.requests) // Parse
	}()
	p.copy(server, client, '1', &p.answers) // ParseComplete
}

// copy copies until it is to lose a message of this kind, with which a statement or
// its answer begins.
func (p *proxy) copy(from, to net.Conn, kind byte, lose *int) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		lost, hole := *lose > 0 && buf[0] == kind, p.hole && kind == '1'
		if lost {
			*lose--
		}
		p.mu.Unlock()
		if lost {
			return
		}
		if hole {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
