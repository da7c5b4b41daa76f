// Package postgres takes tasks from a table of PostgreSQL:
//
//	postgres://user@host:5432/db?table=nth_tasks&sslmode=verify-full
//
// Each step is one statement that is its own transaction: no lock is held while the
// command runs, and a pooler that gives every transaction another session (PgBouncer,
// pool_mode=transaction) is fine. Time is the server's alone. What the table looks
// like, how it is filled and what a worker's role must be granted is in Schema, Fill
// and Grant; for other tables there are Statements of the user's own. Settings that the
// URL doesn't have are those of PostgreSQL's own programs: PGHOST and the other
// variables, ~/.pgpass, ~/.postgresql.
package postgres

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/database"
	"nth/shim/task/statements"
)

// source is a table for one run of a worker.
type source struct {
	database.Sessions
	host    string
	table   string
	sql     tableSQL
	options task.Options
	// unsure is until when a task may become ours which nobody works at: a Take ended
	// without an answer, and the server may still be at it, as a commit that waits for a
	// standby is. The next ones ask for it first.
	unsure time.Time
}

// Open opens a table; it asks the server nothing.
func Open(u *url.URL, o task.Options) (task.Source, error) {
	if err := contract.Printable(o.Getenv, variables...); err != nil {
		return nil, err
	}
	config, table, queue, err := parse(u)
	if err == nil && queue != "" {
		err = errors.New("the parameter queue: it names tasks that --take-sql takes")
	}
	if err != nil {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: err, Hint: hintURL}
	}
	return &source{Sessions: newSessions(config, o), host: config.Host, table: table, sql: statementsFor(table), options: o}, nil
}

// Name gives the queue's name for the keys of markers: a server moves, and its
// standby takes over, with the same tasks. With statements of one's own the URL says
// it: what they do may change, and the tasks that were done stay done.
func Name(u *url.URL) string {
	config, table, queue, err := parse(u)
	name := cmp.Or(queue, table)
	if err != nil {
		return strings.TrimPrefix(u.Path, "/") + "/" + name
	}
	// Without a database, the server's own rule.
	return cmp.Or(config.Database, config.User) + "/" + name
}

// String names the table, and no secret.
func (s *source) String() string {
	return "the table " + s.table + " at " + s.host
}

// Take takes a task.
func (s *source) Take(ctx context.Context) (*task.Task, error) {
	ctx, cancel := task.Outlive(ctx)
	defer cancel()
	a, err := s.Again(ctx, func(raw *database.Session) (answer, error) {
		a, err := session{raw}.once(ctx, s.sql.take, micros(s.options.Lease), s.options.RunID, s.options.Index, int64(s.options.MaxAttempts), time.Now().Before(s.unsure))
		if raw.Unsure(err) {
			s.unsure = time.Now().Add(min(s.options.Lease, task.Settled))
		}
		return a, err
	})
	row := a.Row
	if row == nil || err != nil {
		return nil, err
	}
	attempt, _ := row[2].(int64)
	return &task.Task{ID: string(statements.Content(row[0])), Payload: statements.Content(row[1]), Attempt: int(attempt), Receipt: strconv.FormatInt(attempt, 10),
		Aside: string(statements.Content(row[3]))}, nil
}

// Keep begins the lease anew.
func (s *source) Keep(ctx context.Context, t *task.Task) error {
	_, err := s.of(ctx, s.sql.keep, t, micros(s.options.Lease))
	return err
}

// Done ends a task for good. It succeeds again for who has done it already.
func (s *source) Done(ctx context.Context, t *task.Task) error {
	_, err := s.of(ctx, s.sql.done, t)
	return err
}

// Fail gives a task back, or makes it dead. A second call gives the first one's answer.
func (s *source) Fail(ctx context.Context, t *task.Task, f task.Failure) (bool, error) {
	row, err := s.of(ctx, s.sql.fail, t, int64(s.options.MaxAttempts), micros(f.After), statements.Clean(f.Reason))
	if err != nil {
		return false, err
	}
	dead, _ := row[0].(bool)
	return dead, nil
}

// Release gives a task back, and the attempt with it.
func (s *source) Release(ctx context.Context, t *task.Task) error {
	_, err := s.of(ctx, s.sql.release, t)
	return err
}

// Unfinished tells whether this index was the last to take a task that isn't finished, or
// may have been.
func (s *source) Unfinished(ctx context.Context) (bool, error) {
	if time.Now().Before(s.unsure) {
		return true, nil
	}
	row, err := s.ask(ctx, s.sql.unfinished, s.options.Index)
	if row == nil || err != nil {
		return false, err
	}
	yes, _ := row[0].(bool)
	return yes, nil
}

// of runs a statement about one delivery of a task. Without a row in the answer the
// task is another's now.
func (s *source) of(ctx context.Context, statement string, t *task.Task, more ...driver.Value) ([]driver.Value, error) {
	row, err := s.ask(ctx, statement, append([]driver.Value{t.ID, s.options.RunID, t.Receipt}, more...)...)
	if err == nil && row == nil {
		err = task.ErrLost
	}
	return row, err
}

func (s *source) ask(ctx context.Context, statement string, args ...driver.Value) ([]driver.Value, error) {
	a, err := s.Again(ctx, func(raw *database.Session) (answer, error) { return session{raw}.once(ctx, statement, args...) })
	return a.Row, err
}

func micros(d time.Duration) int64 { return d.Microseconds() }
