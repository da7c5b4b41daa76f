package database

import (
	"context"
	"database/sql/driver"
	"net"
	"sync"
	"time"
)

// Link is a connection. It is the driver's own, without database/sql before it, which
// says a statement again whose answer was lost: for a take, that is a second task.
type Link struct {
	driver.Conn
	raw net.Conn
}

// past is a deadline that ends a call at once.
func past() time.Time { return time.Unix(1, 0) }

// goodbye is how long a connection is given to be closed politely.
const goodbye = time.Second

func (l *Link) leave() {
	_ = l.raw.SetDeadline(time.Now().Add(goodbye))
	_ = l.Conn.Close()
}

// Connect connects, and gives up when the context ends, which drivers alone don't after the
// first byte. Make gives a connector that dials with the dialer; begin sets the connection up,
// unless it is nil.
func Connect(ctx context.Context, make func(*Dialer) (driver.Connector, error), begin func(*Link) error) (*Link, error) {
	d := &Dialer{}
	connector, err := make(d)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, d.interrupt)
	defer stop()
	connected := false
	defer func() { // also where a driver panics
		if !connected {
			d.close()
		}
	}()
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	l := &Link{conn, d.raw}
	if begin != nil {
		if err := begin(l); err != nil {
			return nil, err
		}
	}
	connected = true
	return l, nil
}

// Dialer dials for a driver, and knows the connection that it made last: some try several hosts.
type Dialer struct {
	mu    sync.Mutex
	raw   net.Conn
	ended bool
}

func (d *Dialer) interrupt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.raw != nil {
		_ = d.raw.SetDeadline(past())
	}
}

func (d *Dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.raw != nil {
		_ = d.raw.Close()
	}
}

// DialContext dials.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.raw = conn; d.ended {
		_ = conn.SetDeadline(past())
	}
	return conn, nil
}
