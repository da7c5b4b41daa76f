// Package mysql takes tasks from a table of MariaDB or MySQL:
//
//	mysql://user@host:3306/db?table=nth_tasks&ssl-mode=VERIFY_IDENTITY
//
// A take is one short transaction that is sent as a whole and ends before there is an
// answer, each other step is one statement: no lock is held while the command runs, or
// while the network is slow. Time is the server's alone, and in UTC. What the table looks
// like, how it is filled and what a worker's account must be granted is in Schema, Fill and
// Grant. Settings that the URL doesn't have are those of MariaDB's own programs: MYSQL_PWD,
// MYSQL_HOST, MYSQL_TCP_PORT and MYSQL_UNIX_PORT.
package mysql

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
	server  *settings
	table   string
	options task.Options
	// unsure is until when a task may become ours which nobody works at: a Take ended
	// without an answer, and the server may still be at it. The next ones ask for it first.
	unsure time.Time
}

// Open opens a table; it asks the server nothing.
func Open(u *url.URL, o task.Options) (task.Source, error) {
	if err := contract.Printable(o.Getenv, variables...); err != nil {
		return nil, err
	}
	s, err := parse(u, o.Getenv)
	if err == nil && u.Query().Get("queue") != "" {
		err = errors.New("the parameter queue: it names tasks that --take-sql takes")
	}
	if err != nil {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: err, Hint: hintURL}
	}
	return &source{Sessions: newSessions(s, o), server: s, table: s.table, options: o}, nil
}

// Name gives the queue's name for the keys of markers: a server moves, and its
// replica takes over, with the same tasks. With statements of one's own the URL says it: what
// they do may change, and the tasks that were done stay done.
func Name(u *url.URL) string {
	query := u.Query()
	return strings.TrimPrefix(u.Path, "/") + "/" + cmp.Or(query.Get("queue"), tableOf(query))
}

// String names the table, and no secret.
func (s *source) String() string { return "the table " + s.table + " at " + s.server.where() }

// Take takes a task.
func (s *source) Take(ctx context.Context) (*task.Task, error) {
	ctx, cancel := task.Outlive(ctx)
	defer cancel()
	a, err := s.Again(ctx, func(raw *database.Session) (answer, error) {
		on := session{raw}
		var a answer
		var err error
		if time.Now().Before(s.unsure) {
			a, err = on.once(ctx, s.fill(held))
		}
		if a.Row == nil && err == nil {
			a, err = on.once(ctx, s.fill(take))
		}
		if on.Unsure(err) {
			s.unsure = time.Now().Add(min(s.options.Lease, task.Settled))
		}
		return a, err
	})
	if a.Row == nil || err != nil {
		return nil, err
	}
	attempt, _ := strconv.Atoi(string(statements.Content(a.Row[2])))
	return &task.Task{ID: string(statements.Content(a.Row[0])), Payload: statements.Content(a.Row[1]), Attempt: attempt, Receipt: strconv.Itoa(attempt),
		Aside: string(statements.Content(a.Row[3]))}, nil
}

// Keep begins the lease anew.
func (s *source) Keep(ctx context.Context, t *task.Task) error { return s.of(ctx, keep, t) }

// Done ends a task for good. It succeeds again for who has done it already.
func (s *source) Done(ctx context.Context, t *task.Task) error { return s.of(ctx, done, t) }

// Fail gives a task back, or makes it dead. A second call gives the first one's answer:
// it depends on the attempt alone, without which no row is found.
func (s *source) Fail(ctx context.Context, t *task.Task, f task.Failure) (bool, error) {
	dead := s.options.MaxAttempts > 0 && t.Attempt >= s.options.MaxAttempts
	state, pause := "ready", f.After
	if dead {
		state, pause = "dead", 0
	}
	err := s.of(ctx, fail, t, "{next}", text(state), "{pause}", micros(pause), "{reason}", text(clean(f.Reason)))
	return dead && err == nil, err
}

// Release gives a task back, and the attempt with it.
func (s *source) Release(ctx context.Context, t *task.Task) error { return s.of(ctx, release, t) }

// Unfinished tells whether this index was the last to take a task that isn't finished, or
// may have been.
func (s *source) Unfinished(ctx context.Context) (bool, error) {
	if time.Now().Before(s.unsure) {
		return true, nil
	}
	a, err := s.ask(ctx, s.fill(unfinished))
	return err == nil && isTrue(a.Row[0]), err
}

// Count tells how many tasks are left. It uses the index of what isn't done; the dead are
// not counted.
func (s *source) Count(ctx context.Context) (task.Counts, error) {
	a, err := s.ask(ctx, s.fill(count))
	if err != nil {
		return task.Counts{}, err
	}
	left, err := strconv.ParseInt(string(statements.Content(a.Row[0])), 10, 64)
	if err != nil {
		return task.Counts{}, &contract.Error{Kind: contract.Malformed, Cause: errors.New("the answer to a count is no number")}
	}
	return task.Counts{Left: left}, nil
}

// of runs a statement about one delivery of a task. Where it finds no row, the task is
// another's now.
func (s *source) of(ctx context.Context, statement string, t *task.Task, more ...string) error {
	a, err := s.ask(ctx, s.fill(statement+"; SELECT ROW_COUNT()", append(more, "{id}", text(t.ID), "{attempt}", t.Receipt)...))
	if err == nil && !isTrue(a.Row[0]) {
		err = task.ErrLost
	}
	return err
}

// ask runs a statement that gives one row.
func (s *source) ask(ctx context.Context, statement string) (answer, error) {
	a, err := s.Again(ctx, func(raw *database.Session) (answer, error) { return session{raw}.once(ctx, statement) })
	if err == nil && len(a.Row) == 0 {
		err = &contract.Error{Kind: contract.Malformed, Cause: errors.New("the answer has no row")}
	}
	return a, err
}

// clean makes a text of a reason, that a column has room for.
func clean(reason string) string {
	const most = 60_000
	return strings.ToValidUTF8(reason[:min(len(reason), most)], "\uFFFD")
}

// isTrue tells whether a value is neither 0 nor NULL.
func isTrue(v driver.Value) bool { return v != nil && string(statements.Content(v)) != "0" }
