// Package statements is a queue that statements of the user's own make, for tables that aren't
// nth's: what they are said for, and what their answers mean, whichever server runs them.
package statements

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// Server runs statements.
type Server interface {
	// Try lets something be tried with a connection, and once more with a new one where
	// the old one was lost. Its errors are *contract.Error.
	Try(context.Context, func(Session) (Answer, error)) (Answer, error)
	Close() error
}

// Session is a connection.
type Session interface {
	// Once says a statement once. Unsure: after the error nobody knows whether it was done.
	Once(ctx context.Context, sql string, values []driver.Value) (a Answer, unsure bool, err error)
	// Prove asks what the server makes of a statement, and does nothing of it.
	Prove(context.Context, *Statement) (Answer, error)
}

// Answer is what a statement gave.
type Answer struct {
	Columns []string
	Row     []driver.Value // the first; nil: there is none
	Rows    int64          // that it gave or changed
}

// Queue is one of a server.
type Queue struct {
	Server  Server
	Host    string
	Columns string // how a take of this server gives its columns
	One     string // how a take of this server takes one task
	Hints   []Hint // the first that fits
	Bits    bool   // it has no booleans, but 1 and 0
	Example string // of a URL that names a queue
}

// Hint is what to do about a statement that the server refuses, by the error's number, its
// SQLSTATE or that one's class.
type Hint struct{ Code, Hint string }

// Refusal is what a server says, with its error's number and SQLSTATE.
type Refusal struct{ Message, Number, State string }

func (r *Refusal) Error() string { return "the database refuses: " + r.Message + " (" + r.Number + ")" }

// maxMessage bounds what is repeated of a server's message, in bytes.
const maxMessage = 300

// Line makes one line of a server's message, without what a driver puts before it.
func Line(message, prefix string) string {
	message = strings.TrimPrefix(strings.Join(strings.Fields(message), " "), prefix)
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return message
}

// of tells whether a refusal is of a number or a class.
func (r *Refusal) of(code string) bool { return r.Number == code || strings.HasPrefix(r.State, code) }

// Statement is one of the user's own.
type Statement struct {
	Flag string // by which it was given
	SQL  string // as the server's Bind gives it
	// Values is how many parameters it has, and Args gives them, each as text: of which
	// type it is, the server knows. An error of the kinds of nth/shim/store/contract says
	// that it isn't the task's fault; any other is.
	Values int
	Args   func(Call) ([]string, error)
}

// Call is what a statement is run for.
type Call struct {
	task.Options
	Task    *task.Task // nil: to take one, or to ask for unfinished ones
	Delay   time.Duration
	Reason  string
	Dead    bool // the task has had all its attempts, by what Take was told
	Release bool // it is only given back
	Retry   bool // Take is said again, for nobody knows what it took
}

// Statements are how tasks are taken from tables that aren't nth's. Take gives at most
// one row, with the columns id, payload and, where it is known, attempt; others become
// the task's Meta. Keep, Done and Fail give or change a row, or the task isn't ours any
// more; a lone false says the same, as functions do. Fail is also for a task that is
// given back unharmed (Call.Release), and may say itself, in a column dead, whether the
// task is put aside. Fail may be nil: then the lease's end gives a task back.
//
// Unfinished gives a row that isn't false, 0 or NULL where a task is unfinished that
// this index was the last to take. It may be nil: then a worker knows only what it took
// itself in this run, as with an HTTP API.
type Statements struct {
	Take, Keep, Done, Fail, Unfinished *Statement
}

// own is a queue for one run of a worker.
type own struct {
	queue *Queue
	name  string
	Statements
	task.Options
	proved bool      // the server knows of every statement what it means
	unsure string    // what got no answer: the statement and the delivery
	late   time.Time // until then the server may still be at a take that got none
	held   held      // what was taken last
	given  *task.Given
	untold *task.Untold
}

// held is the task that this worker took last.
type held struct {
	id       string
	nameless bool // the table gives it none
	over     bool // it isn't ours any more, or there was none
}

// Open makes a source of statements, unless something is wrong with the URL that names them;
// it asks the server nothing.
func Open(q *Queue, name string, wrong error, o task.Options, s Statements) (task.Source, error) {
	if wrong == nil && name == "" {
		wrong = errors.New("the URL doesn't name the queue")
	}
	if wrong != nil {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: wrong, Hint: "write " + q.Example + "?queue=NAME: it is part of the names of the tasks' markers, so that the statements may change"}
	}
	if s.Fail == nil && o.MaxAttempts > 0 {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: errors.New("there is no statement by which a task that has had all its attempts could be put aside"),
			Hint: "give --fail-sql, or --max-attempts 0, where the statement that takes counts by itself or a task may come back without end"}
	}
	m := o.Remember()
	return &own{queue: q, name: name, Statements: s, Options: o, held: held{over: true}, given: &m.Given, untold: &m.Untold}, nil
}

// String names the queue, and no secret.
func (s *own) String() string { return "the tasks " + s.name + " at " + s.queue.Host }

// Close closes the connections.
func (s *own) Close() error { return s.queue.Server.Close() }
