package mysql

import (
	"context"
	"database/sql/driver"
	"io"

	"github.com/go-sql-driver/mysql"

	"nth/shim/failure"
	"nth/shim/task"
	"nth/shim/task/database"
	"nth/shim/task/statements"
)

// answer is what statements gave.
type answer = statements.Answer

// session is a connection of database's, for this one's statements.
type session struct{ *database.Session }

// errForeign is an answer that the driver panics at: another server's.
var errForeign error = failure.Text("the answer is not MariaDB's or MySQL's")

func newSessions(s *settings, o task.Options) database.Sessions {
	return database.Open(&database.Server{
		Connect:    func(ctx context.Context) (*database.Link, error) { return connect(ctx, s) },
		Unanswered: unanswered,
		Undone:     func(err error) bool { return number(err) == deadlock },
		Meaning:    meaning,
		Foreign:    errForeign,
	}, o)
}

// connect connects, with a session as it should be.
func connect(ctx context.Context, s *settings) (*database.Link, error) {
	config, err := s.config()
	if err != nil {
		return nil, err
	}
	return database.Connect(ctx, func(d *database.Dialer) (driver.Connector, error) {
		config.DialFunc = d.DialContext
		return mysql.NewConnector(config)
	}, func(l *database.Link) error {
		_, err := query(l, sessionSQL)
		return err
	})
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

// once runs statements that give rows, or change the row that they give.
func (s session) once(ctx context.Context, statement string) (answer, error) {
	return s.With(ctx, func(l *database.Link) (answer, error) { return query(l, statement) })
}

// query gives the first answer that has a row, or is without one where none has. It isn't
// given the context: a deadline of the connection does the same, and a task in an answer that
// is there isn't lost.
func query(l *database.Link, statement string) (a answer, err error) {
	rows, err := l.Conn.(driver.QueryerContext).QueryContext(context.Background(), statement, nil)
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
