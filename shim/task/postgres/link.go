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

	"nth/shim/failure"
	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/statements"
)

// link is a connection. It is lib/pq's own, without database/sql before it, which
// says a statement again whose answer was lost: for a take, that is a second task.
type link struct {
	conn driver.Conn
	raw  net.Conn
}

// sessions ask one server, each with a connection of its own.
type sessions struct {
	config pq.Config
	pool   *task.Pool[*session]
}

func newSessions(config pq.Config, o task.Options) sessions {
	return sessions{config, task.PoolOf(o.Remember(), func() *session { return &session{config: config} })}
}

// session asks over one connection at a time.
type session struct {
	config pq.Config
	link   *link // nil: none is open
}

// answer is what a statement gave.
type answer = statements.Answer

// past is a deadline that ends a call at once.
func past() time.Time { return time.Unix(1, 0) }

// goodbye is how long a connection is given to be closed politely.
const goodbye = time.Second

// twice tries again, with a new connection, what an old one was lost at: it may have
// ended hours ago. Statements do no harm when they are said twice.
func (s sessions) twice(ctx context.Context, try func(*session) (answer, error)) (a answer, err error) {
	busy := s.pool.With(ctx, func(on *session) {
		old := on.link != nil
		a, err = try(on)
		if old && unanswered(err) && ctx.Err() == nil {
			a, err = try(on)
		}
	})
	if busy != nil {
		return a, &contract.Error{Kind: contract.Unreachable, Cause: errors.Join(task.ErrUnasked, busy), Hint: "no connection is free"}
	}
	return a, meaning(ctx, err)
}

// unanswered tells that nobody knows whether the server did what it was told.
func unanswered(err error) bool {
	_, answered := errors.AsType[*pq.Error](err)
	return err != nil && !answered
}

// errForeign is an answer that lib/pq panics at: another server's.
var errForeign error = failure.Text("the answer is not PostgreSQL's")

// once runs a statement. After an error nobody knows what
// the connection is still going to say, and it is closed.
func (s *session) once(ctx context.Context, statement string, args ...driver.Value) (a answer, err error) {
	defer func() {
		if why := recover(); why != nil {
			a, err = answer{}, fmt.Errorf("%w: %v", errForeign, why)
			s.drop()
		}
	}()
	if s.link == nil {
		if s.link, err = connect(ctx, s.config); err != nil {
			return answer{}, err
		}
	}
	l := s.link
	stop := context.AfterFunc(ctx, func() { _ = l.raw.SetDeadline(past()) })
	a, err = l.query(statement, args)
	if stopped := stop(); err != nil || !stopped {
		s.drop()
	}
	return a, err
}

// Close closes the connections: all sources of a worker are closed together.
func (s sessions) Close() error {
	s.pool.Each((*session).drop)
	return nil
}

func (s *session) drop() {
	if s.link != nil {
		_ = s.link.raw.SetDeadline(time.Now().Add(goodbye))
		_ = s.link.conn.Close()
		s.link = nil
	}
}

// query isn't given the context: lib/pq would connect a second time to cancel the
// statement, and wait for the first answer all the same.
func (l *link) query(statement string, args []driver.Value) (answer, error) {
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	rows, err := l.conn.(driver.QueryerContext).QueryContext(context.Background(), statement, named)
	if err != nil {
		return answer{}, err
	}
	a := answer{Columns: rows.Columns()}
	row := make([]driver.Value, len(a.Columns))
	switch err := rows.Next(row); err {
	case nil:
		a.Row = statements.Copied(row)
	case io.EOF:
	default:
		return answer{}, err
	}
	if err := rows.Close(); err != nil { // reads to the end: only then the transaction is committed
		return answer{}, err
	}
	if r, ok := rows.(interface{ Result() driver.Result }); ok {
		a.Rows, _ = r.Result().RowsAffected() // it says so of every statement
	}
	return a, nil
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
		_ = d.raw.SetDeadline(past())
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
		_ = conn.SetDeadline(past())
	}
	return conn, nil
}

// DialTimeout is lib/pq's Dialer, which it doesn't use where there is a DialContext.
func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}
