package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/lib/pq"

	"nth/shim/failure"
	"nth/shim/task"
	"nth/shim/task/database"
	"nth/shim/task/statements"
)

// answer is what a statement gave.
type answer = statements.Answer

// session is a connection of database's, for this one's statements.
type session struct{ *database.Session }

// errForeign is an answer that lib/pq panics at: another server's.
var errForeign error = failure.Text("the answer is not PostgreSQL's")

func newSessions(config pq.Config, o task.Options) database.Sessions {
	return database.Open(&database.Server{
		Connect:    func(ctx context.Context) (*database.Link, error) { return connect(ctx, config) },
		Unanswered: unanswered,
		Meaning:    meaning,
		Foreign:    errForeign,
	}, o)
}

func connect(ctx context.Context, config pq.Config) (*database.Link, error) {
	config, forget, err := trust(config.Clone())
	if err != nil {
		return nil, err
	}
	defer forget()
	return database.Connect(ctx, func(d *database.Dialer) (driver.Connector, error) {
		connector, err := pq.NewConnectorConfig(config)
		if err == nil {
			connector.Dialer(dialer{d})
		}
		return connector, err
	}, nil)
}

// unanswered tells that nobody knows whether the server did what it was told: the connection
// was lost, which the server says on it when it ends one by itself (57P: a shutdown,
// pg_terminate_backend), also one whose commit waits for a standby.
func unanswered(err error) bool {
	e, answered := errors.AsType[*pq.Error](err)
	return err != nil && (!answered || strings.HasPrefix(string(e.Code), "57P"))
}

// once runs a statement.
func (s session) once(ctx context.Context, statement string, args ...driver.Value) (answer, error) {
	return s.With(ctx, func(l *database.Link) (answer, error) { return query(l, statement, args) })
}

// query isn't given the context: lib/pq would connect a second time to cancel the
// statement, and wait for the first answer all the same.
func query(l *database.Link, statement string, args []driver.Value) (answer, error) {
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	rows, err := l.Conn.(driver.QueryerContext).QueryContext(context.Background(), statement, named)
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

// dialer is database's as lib/pq wants it.
type dialer struct{ *database.Dialer }

// Dial is lib/pq's Dialer, which it doesn't use where there is a DialContext.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout is lib/pq's Dialer, which it doesn't use where there is a DialContext.
func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}
