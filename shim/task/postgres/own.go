package postgres

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// Statement is one of the user's own.
type Statement struct {
	Flag string // by which it was given
	SQL  string // as Bind gives it
	// Values is how many parameters it has, and Args gives them, each as text: of which
	// type it is, the server knows.
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

// own is a queue that the user's statements make, for one run of a worker.
type own struct {
	session
	Statements
	task.Options
	queue  string
	proved bool   // the server knows of every statement what it means
	unsure string // what got no answer: the statement and the delivery
	// mine are the tasks that are still ours, by their IDs; with a time: until then, or
	// until there is none to take.
	mine map[string]time.Time
}

const hintQueue = "write postgres://user@host:5432/database?queue=NAME: it is part of the names of the tasks' markers, so that the statements may change"

// OpenOwn opens a queue of the user's own statements; it asks the server nothing.
func OpenOwn(u *url.URL, o task.Options, s Statements) (task.Source, error) {
	config, _, queue, err := parse(u)
	if err == nil && queue == "" {
		err = errors.New("the URL doesn't name the queue")
	}
	if err != nil {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: err, Hint: hintQueue}
	}
	if s.Fail == nil && o.MaxAttempts > 0 {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: errors.New("there is no statement by which a task that has had all its attempts could be put aside"),
			Hint: "give --fail-sql, or --max-attempts 0, where the statement that takes counts by itself or a task may come back without end"}
	}
	return &own{session: session{config: config}, Statements: s, Options: o, queue: queue, mine: map[string]time.Time{}}, nil
}

// String names the queue, and no secret.
func (s *own) String() string { return "the tasks " + s.queue + " at " + s.config.Host }

// Take takes a task. What a Take without an answer took comes back when its lease ends,
// unless the statement looks for it (Call.Retry).
func (s *own) Take(ctx context.Context) (*task.Task, error) {
	if err := s.prove(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	a, _, err := s.say(ctx, s.Statements.Take, Call{})
	if err != nil {
		s.mine[""] = time.Now().Add(s.Lease) // what it may have taken
		return nil, err
	}
	t, wrong := delivery(a)
	switch {
	case wrong != nil:
		return nil, s.Statements.Take.at(wrong)
	case t == nil:
		for id, free := range s.mine {
			if !free.IsZero() && free.Before(began) {
				delete(s.mine, id) // others have it
			}
		}
		return nil, nil
	}
	s.mine[t.ID] = time.Time{}
	return t, nil
}

// Keep begins the lease anew.
func (s *own) Keep(ctx context.Context, t *task.Task) error {
	_, err := s.tell(ctx, s.Statements.Keep, Call{Task: t})
	return err
}

// Done ends a task for good.
func (s *own) Done(ctx context.Context, t *task.Task) error {
	_, err := s.tell(ctx, s.Statements.Done, Call{Task: t})
	if err == nil {
		delete(s.mine, t.ID)
	}
	return err
}

// Fail gives a task back, or puts it aside.
func (s *own) Fail(ctx context.Context, t *task.Task, f task.Failure) (bool, error) {
	return s.giveBack(ctx, Call{Task: t, Delay: f.After, Reason: clean(f.Reason), Dead: s.MaxAttempts > 0 && t.Attempt >= s.MaxAttempts})
}

// Release gives a task back at once.
func (s *own) Release(ctx context.Context, t *task.Task) error {
	_, err := s.giveBack(ctx, Call{Task: t, Release: true})
	return err
}

func (s *own) giveBack(ctx context.Context, c Call) (dead bool, err error) {
	if s.Statements.Fail == nil {
		s.mine[c.Task.ID] = time.Now().Add(s.Lease)
		return false, nil
	}
	a, err := s.tell(ctx, s.Statements.Fail, c)
	if err != nil {
		return false, err
	}
	dead = c.Dead
	if i := slices.Index(a.columns, "dead"); i >= 0 && a.row != nil {
		dead = isTrue(a.row[i])
	}
	s.mine[c.Task.ID] = time.Now().Add(c.Delay)
	if dead {
		delete(s.mine, c.Task.ID)
	}
	return dead, nil
}

// tell says something of a task that this worker holds, or believes to hold.
func (s *own) tell(ctx context.Context, st *Statement, c Call) (answer, error) {
	a, again, err := s.say(ctx, st, c)
	if err != nil {
		return a, err
	}
	lost := a.rows == 0 || len(a.columns) == 1 && a.columns[0] != "dead" && a.row != nil && a.row[0] == false
	if lost && again && st != s.Statements.Keep {
		return a, nil // it was the first time that did it, whose answer is missing
	}
	if lost {
		s.mine[c.Task.ID] = time.Now()
		return a, task.ErrLost
	}
	return a, nil
}

// Unfinished asks the server, or else remembers.
func (s *own) Unfinished(ctx context.Context) (bool, error) {
	if s.Statements.Unfinished == nil {
		return len(s.mine) > 0, nil
	}
	a, _, err := s.say(ctx, s.Statements.Unfinished, Call{})
	return err == nil && len(a.row) > 0 && isTrue(a.row[0]), err
}
