// Package task is where work comes from when the index is a worker's number and the
// items are in a queue. A source is a folder under it and a row in sources; what it
// must do is said at Source, and proved by one suite for all.
package task

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"nth/shim/store/contract"
)

// ErrLost is the answer to who has no task any more: its lease has ended, and another
// worker has taken it or may do so.
var ErrLost error = &contract.Error{Kind: contract.Lost, Cause: errors.New("the task's lease is lost")}

// Lost is ErrLost with its reason.
func Lost(why string) error {
	return &contract.Error{Kind: contract.Lost, Cause: fmt.Errorf("%w: %s", ErrLost, why)}
}

// WhyLost gives the reason that Lost was given, behind a colon; "" where there is none.
func WhyLost(err error) string {
	_, why, _ := strings.Cut(err.Error(), ErrLost.Error())
	return why
}

// Task is one delivery of one piece of work.
type Task struct {
	ID      string // the source's, the same in every delivery
	Payload []byte
	Attempt int               // which delivery this is, from 1; 0: the source doesn't tell
	Meta    map[string]string // what else the source says of it
	Receipt string            // names this one delivery, for the source alone
	// Sent is when the server was asked for it, where Take had to wait before that. The zero
	// value: when Take was called.
	Sent time.Time
	// Aside is why the task was put aside instead of being taken: mostly, that its
	// workers died in all its attempts. Nobody holds it then. "": it is taken.
	Aside string
	// Broken is why nothing can be done with the task, and nil mostly: what it says of
	// itself, or what would have to be said of it, can't be used. It is held as any
	// other, and its worker fails it.
	Broken error
}

// Unsayable is what can't be said to the server of one task, for what that says of
// itself. Of another task it can be.
type Unsayable struct{ Why *contract.Error }

func (u *Unsayable) Error() string { return u.Why.Error() }

// Unwrap gives the error with its kind.
func (u *Unsayable) Unwrap() error { return u.Why }

// IsUnsayable tells whether an error is one.
func IsUnsayable(err error) bool {
	_, is := errors.AsType[*Unsayable](err)
	return is
}

// Failure is why a task is given back.
type Failure struct {
	Reason string        // one line, for a dead task's keeper
	After  time.Duration // not to be delivered again before
}

// Source is a queue that delivers each task at least once. Errors are of the kinds of
// nth/shim/store/contract, and say what happened: NoSuch of a queue that isn't there,
// Unsupported of one that can't do what is asked, Refused and Malformed of what the server
// says now, Invalid where nothing was asked, Lost (ErrLost). Whether they are tried again
// is the caller's to say: what ends a worker that has taken nothing may pass in the middle
// of the work. What only one task is at fault for is no error of Take's (Task.Broken).
// Every method may be called again after an error, and then must not do harm: a reply
// may be lost, and the deed done. One task is held at a time, and Keep may be called
// while no other method is: a worker that has several has a source for each.
type Source interface {
	// Take takes one task for the lease's time. Nil: none is ready now. It never
	// takes more than one, and takes one whose lease has ended before any other. One
	// that has had all its attempts it puts aside, and tells of it (Task.Aside), once.
	Take(ctx context.Context) (*Task, error)
	// Keep begins the lease's time anew.
	Keep(ctx context.Context, t *Task) error
	// Done ends a task for good.
	Done(ctx context.Context, t *Task) error
	// Fail gives a task back, or, when it has had all its attempts, puts it aside.
	Fail(ctx context.Context, t *Task, f Failure) (dead bool, err error)
	// Release gives a task back at once, which nobody has failed at.
	Release(ctx context.Context, t *Task) error
	// Unfinished tells whether there is a task, in flight, delayed or given back, that
	// this worker's index was the last to take: nobody else may be left to do it.
	Unfinished(ctx context.Context) (bool, error)
	// Close gives connections back; a task that is held stays so.
	Close() error
}

// Counts are how many tasks a queue has.
type Counts struct {
	Left int64 // not done, whether somebody holds them or not
	Dead int64 // put aside; 0 also where the source doesn't know
}

// Counter is a Source that can tell how many tasks it has, roughly and at little cost. An
// error is no reason for anything: it can't tell now, or not on this server.
type Counter interface {
	Count(ctx context.Context) (Counts, error)
}

// Options is what a source is told beside its URL.
type Options struct {
	Index       int64  // of the worker; it comes back under the same
	RunID       string // of this one run of it; of sources of the same run each has another
	Lease       time.Duration
	MaxAttempts int  // of one task; 0: without end
	NamesTasks  bool // --task-id names them, whatever the source does
	Getenv      func(string) string
	// Hide takes secrets out of what a server says; nil: there are none.
	Hide func(string) string
	// Memory is what the source shares with others of the same worker, of which each holds
	// another task; nil: there are none.
	Memory *Memory
}

// Hidden gives a server's text without secrets.
func (o *Options) Hidden(text string) string {
	if o.Hide == nil {
		return text
	}
	return o.Hide(text)
}

// Open opens a source without asking it anything.
type Open func(u *url.URL, o Options) (Source, error)

// Key gives the name under which a task's marker is kept: the same task of the same
// queue, however its URL is written.
func Key(kind, queue, id string) string {
	h := sha256.New()
	for _, part := range []string{kind, queue, id} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}
