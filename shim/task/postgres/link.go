package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/lib/pq"
)

// link is a connection. It is lib/pq's own, without database/sql before it, which
// says a statement again whose answer was lost: for a take, that is a second task.
type link struct {
	conn driver.Conn
	raw  net.Conn
}

// past is a deadline that ends a call at once.
var past = time.Unix(1, 0)

// goodbye is how long a connection is given to be closed politely.
const goodbye = time.Second

// twice tries again, with a new connection, what an old one was lost at: it may have
// ended hours ago. Statements do no harm when they are said twice.
func (s *source) twice(ctx context.Context, try func() ([]driver.Value, error)) ([]driver.Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.link != nil
	row, err := try()
	if _, answered := errors.AsType[*pq.Error](err); err != nil && old && !answered && ctx.Err() == nil {
		row, err = try()
	}
	return row, meaning(ctx, err)
}

// errForeign is an answer that lib/pq panics at: another server's.
var errForeign = errors.New("the answer is not PostgreSQL's")

// once runs a statement and gives its one row, or nil. After an error nobody knows what
// the connection is still going to say, and it is closed.
func (s *source) once(ctx context.Context, statement string, args ...driver.Value) (row []driver.Value, err error) {
	defer func() {
		if why := recover(); why != nil {
			row, err = nil, fmt.Errorf("%w: %v", errForeign, why)
			s.drop()
		}
	}()
	if s.link == nil {
		if s.link, err = connect(ctx, s.config); err != nil {
			return nil, err
		}
	}
	l := s.link
	stop := context.AfterFunc(ctx, func() { _ = l.raw.SetDeadline(past) })
	row, err = l.query(statement, args)
	if stopped := stop(); err != nil || !stopped {
		s.drop()
	}
	return row, err
}

func (s *source) drop() {
	if s.link != nil {
		_ = s.link.raw.SetDeadline(time.Now().Add(goodbye))
		_ = s.link.conn.Close()
		s.link = nil
	}
}

// query isn't given the context: lib/pq would connect a second time to cancel the
// statement, and wait for the first answer all the same.
func (l *link) query(statement string, args []driver.Value) ([]driver.Value, error) {
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	rows, err := l.conn.(driver.QueryerContext).QueryContext(context.Background(), statement, named)
	if err != nil {
		return nil, err
	}
	row := make([]driver.Value, len(rows.Columns()))
	switch err := rows.Next(row); err {
	case nil:
		for i, v := range row { // some are lib/pq's, until its next message
			if b, ok := v.([]byte); ok {
				row[i] = append([]byte{}, b...)
			}
		}
	case io.EOF:
		row = nil
	default:
		return nil, err
	}
	return row, rows.Close() // reads to the end: only then the transaction is committed
}

// connect connects, and gives up when the context ends, which lib/pq alone doesn't
// after the first byte.
func connect(ctx context.Context, config pq.Config) (*link, error) {
	config, forget, err := trust(config.Clone())
	if err != nil {
		return nil, err
	}
	defer forget()
	connector, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, err
	}
	d := &dialer{}
	connected := false
	defer func() {
		if d.raw != nil && !connected {
			_ = d.raw.Close()
		}
	}()
	stop := context.AfterFunc(ctx, d.interrupt)
	defer stop()
	connector.Dialer(d)
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	connected = true
	return &link{conn: conn, raw: d.raw}, nil
}

// dialer knows the connection that was made last: lib/pq may try several hosts.
type dialer struct {
	net.Dialer
	mu    sync.Mutex
	raw   net.Conn
	ended bool
}

func (d *dialer) interrupt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.raw != nil {
		_ = d.raw.SetDeadline(past)
	}
}

// DialContext is lib/pq's DialerContext.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.raw = conn; d.ended {
		_ = conn.SetDeadline(past)
	}
	return conn, nil
}

// DialTimeout is lib/pq's Dialer, which it doesn't use where there is a DialContext.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}
