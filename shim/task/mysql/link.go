package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"nth/shim/failure"
	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/statements"
)

// link is a connection. It is the driver's own, without database/sql before it, which
// says a statement again whose answer was lost: for a take, that is a second task.
type link struct {
	conn driver.Conn
	raw  net.Conn
}

// sessions ask one server, each with a connection of its own.
type sessions struct {
	server *settings
	pool   *task.Pool[*session]
}

func newSessions(s *settings, o task.Options) sessions {
	return sessions{s, task.PoolOf(o.Remember(), func() *session { return &session{server: s} })}
}

// session asks over one connection at a time.
type session struct {
	server *settings
	link   *link // nil: none is open
	asked  bool  // something was said, or begun to be, in the last call
}

// answer is what statements gave.
type answer = statements.Answer

// past is a deadline that ends a call at once.
func past() time.Time { return time.Unix(1, 0) }

// goodbye is how long a connection is given to be closed politely.
const goodbye = time.Second

// deadlocks bounds how often a statement is tried again that the server ended because two
// waited for each other: one of them goes on.
const deadlocks = 10

// again tries again, with a new connection, what an old one was lost at: it may have
// ended hours ago, for the server closes those that are silent (wait_timeout). And what
// was ended as a deadlock, of which nothing was done. Statements do no harm when they are
// said twice.
func (s sessions) again(ctx context.Context, try func(*session) (answer, error)) (a answer, err error) {
	busy := s.pool.With(ctx, func(on *session) {
		old := on.link != nil
		for n := 0; ; n++ {
			a, err = try(on)
			more := old && unanswered(err) || number(err) == deadlock && n < deadlocks
			if !more || ctx.Err() != nil {
				return
			}
			old = false
		}
	})
	if busy != nil {
		return a, &contract.Error{Kind: contract.Unreachable, Cause: errors.Join(task.ErrUnasked, busy), Hint: "no connection is free"}
	}
	return a, meaning(ctx, err)
}

// unanswered tells that nobody knows whether the server did what it was told: the
// connection was lost, which some servers say on it (a shutdown, a KILL, wait_timeout in
// MySQL 8).
func unanswered(err error) bool {
	switch number(err) {
	case 0, 1053, 1927, 4031:
		return err != nil
	}
	return false
}

// errForeign is an answer that the driver panics at: another server's.
var errForeign error = failure.Text("the answer is not MariaDB's or MySQL's")

// once runs statements that give rows, or change the row that they give.
func (s *session) once(ctx context.Context, statement string) (answer, error) {
	return s.with(ctx, func(l *link) (answer, error) { return l.query(statement) })
}

// with does something over a connection. After an error nobody knows what it is still
// going to say, or whether a transaction is open, and it is closed.
func (s *session) with(ctx context.Context, do func(*link) (answer, error)) (a answer, err error) {
	defer func() {
		if why := recover(); why != nil {
			a, err = answer{}, fmt.Errorf("%w: %v", errForeign, why)
			s.drop()
		}
	}()
	if s.asked = false; s.link == nil {
		if s.link, err = connect(ctx, s.server); err != nil {
			return answer{}, err
		}
	}
	s.asked = true
	raw := s.link.raw
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(past()) })
	a, err = do(s.link)
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

// query gives the first answer that has a row, or is without one where none has. It isn't
// given the context: a deadline of the connection does the same, and a task in an answer that
// is there isn't lost.
func (l *link) query(statement string) (a answer, err error) {
	rows, err := l.conn.(driver.QueryerContext).QueryContext(context.Background(), statement, nil)
	for first := true; err == nil; first = false {
		one := answer{Columns: rows.Columns()}
		for row := make([]driver.Value, len(one.Columns)); ; one.Rows++ {
			if err = rows.Next(row); err != nil {
				break
			}
			if one.Rows > 0 {
				continue
			}
			one.Row = statements.Copied(row)
		}
		if err != io.EOF {
			break
		}
		if first || a.Row == nil && one.Row != nil && one.Columns[0] != changed {
			a = one
		}
		err = rows.(driver.RowsNextResultSet).NextResultSet()
	}
	if err == io.EOF { // all was read: only then the transaction is committed
		return a, rows.Close()
	}
	return a, err
}

// connect connects, and gives up when the context ends.
func connect(ctx context.Context, s *settings) (*link, error) {
	config, err := s.config()
	if err != nil {
		return nil, err
	}
	d := &dialer{}
	config.DialFunc = d.dial
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, d.interrupt)
	defer stop()
	conn, err := connector.Connect(ctx)
	if err != nil {
		d.close()
		return nil, err
	}
	l := &link{conn: conn, raw: d.raw}
	if _, err := l.query(sessionSQL); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return l, nil
}

// dialer knows the connection that it made.
type dialer struct {
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

func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.raw != nil {
		_ = d.raw.Close()
	}
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
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
