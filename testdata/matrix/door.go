package matrix

import (
	"net"
	"net/http"
	"sync"
	"testing"

	"nth/testdata/servers"
)

// Door is a proxy before a server that can be closed, as if the server were down,
// and opened again at the same address.
type Door struct {
	t       testing.TB
	address string
	handler http.Handler

	mu     sync.Mutex
	server *http.Server // nil while it is closed
}

// NewDoor gives one that is open.
func NewDoor(t testing.TB, place *Place) *Door {
	t.Helper()
	d := &Door{t: t, address: servers.Address(t), handler: place.Fault(t, nil).Config.Handler}
	d.Open()
	t.Cleanup(d.Close)
	return d
}

// URL is its base.
func (d *Door) URL() string { return "http://" + d.address }

// Open opens it.
func (d *Door) Open() {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, err := net.Listen("tcp", d.address)
	if err != nil {
		d.t.Error(err)
		return
	}
	d.server = &http.Server{Handler: d.handler}
	go d.server.Serve(l)
}

// Close drops every connection, and refuses new ones.
func (d *Door) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.server != nil {
		_ = d.server.Close()
		d.server = nil
	}
}
