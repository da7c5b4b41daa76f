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

// own is a queue that the user's statements make, for one run of a worker.
type own struct {
	sessions
	Statements
	task.Options
	queue  string
	proved bool   // the server knows of every statement what it means
	unsure string // what got no answer: the statement and the delivery
	held   held   // what was taken last
	given  *task.Given
	untold *task.Untold
}

// held is the task that this worker took last.
type held struct {
	id       string
	nameless bool // the table gives it none
	over     bool // it isn't ours any more, or there was none
}

const hintQueue = "write postgres://user@host:5432/database?queue=NAME: it is part of the names of the tasks' markers, so that the statements may change"

// OpenOwn opens a queue of the user's own statements; it asks the server nothing.
func OpenOwn(u *url.URL, o task.Options, s Statements) (task.Source, error) {
	if err := contract.Printable(o.Getenv, variables...); err != nil {
		return nil, err
	}
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
	m := o.Remember()
	return &own{sessions: newSessions(config, o), Statements: s, Options: o, queue: queue, held: held{over: true}, given: &m.Given, untold: &m.Untold}, nil
}

// String names the queue, and no secret.
func (s *own) String() string { return "the tasks " + s.queue + " at " + s.config.Host }

// Take takes a task. What a Take without an answer took comes back when its lease ends,
// unless the statement looks for it (Call.Retry). Those that were given up here come
// again with each end of their leases, and others may stand behind them.
func (s *own) Take(ctx context.Context) (*task.Task, error) {
	if err := s.prove(ctx); err != nil {
		return nil, err
	}
	for range s.untold.Buried() + 1 {
		t, err := s.take(ctx)
		if t == nil || err != nil || !s.untold.Dead(t.ID) {
			return t, err
		}
		s.held.over = true
		s.given.Forget(t.ID)
	}
	return nil, nil
}

func (s *own) take(ctx context.Context) (*task.Task, error) {
	ctx, cancel := task.Outlive(ctx)
	defer cancel()
	began := time.Now()
	a, _, err := s.say(ctx, s.Statements.Take, Call{})
	if err != nil {
		s.given.Add("", time.Now().Add(s.Lease)) // what it may have taken
		return nil, err
	}
	t, wrong := delivery(a)
	switch {
	case wrong != nil:
		return nil, s.Statements.Take.at(wrong)
	case t == nil:
		s.given.Missed(began) // others have them
		return nil, nil
	case s.untold.Full():
		return nil, s.Statements.Take.at(&contract.Error{Kind: contract.Malformed, Cause: errors.New("so many tasks came that nothing can be told of that they can't be remembered")})
	}
	if !s.held.over {
		s.given.Add(s.held.id, time.Now().Add(s.Lease))
	}
	s.held = held{nameless: t.ID == ""}
	if s.held.nameless {
		nameless(t)
	}
	s.held.id = t.ID
	s.given.Hold(t.ID)
	if t.Broken == nil {
		t.Broken, err = s.tellable(t)
	}
	return t, err
}

// tellable tells whether all can be said of a task that must be. What is for another
// reason than the task is an error.
func (s *own) tellable(t *task.Task) (broken, err error) {
	for _, st := range []*Statement{s.Statements.Keep, s.Statements.Done, s.Statements.Fail} {
		if st == nil {
			continue
		}
		if _, err := st.args(Call{Options: s.Options, Task: t}); task.IsUnsayable(err) {
			return err, nil
		} else if err != nil {
			return nil, err
		}
	}
	return nil, nil
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
		s.forget(t)
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
	t := c.Task
	nameless := s.held.nameless && s.held.id == t.ID
	switch {
	case s.Statements.Fail == nil && t.Broken != nil && s.keepToItself(c):
		return true, nil
	case s.Statements.Fail == nil:
		s.free(t, s.Lease)
		return false, task.NoWay("--fail-sql")
	case nameless:
		return s.keepToItself(c), nil
	}
	a, err := s.tell(ctx, s.Statements.Fail, c)
	if task.IsUnsayable(err) || ofRow(err) {
		return s.keepToItself(c), nil
	}
	if err != nil {
		return false, err
	}
	dead = c.Dead
	if i := slices.Index(a.columns, "dead"); i >= 0 && a.row != nil {
		dead = isTrue(a.row[i])
	}
	if dead {
		s.forget(t)
	} else {
		s.free(t, c.Delay)
	}
	return dead, nil
}

// keepToItself gives back a task that the table can't be told of: the end of its lease
// does, and without end. When it has had all its attempts, it is given up here.
func (s *own) keepToItself(c Call) (dead bool) {
	if dead = !c.Release && s.untold.Fail(c.Task.ID, c.Task.Attempt, s.MaxAttempts); dead {
		s.forget(c.Task)
	} else {
		s.free(c.Task, s.Lease)
	}
	return dead
}

// free: others may take the task then, and nobody tells when one did.
func (s *own) free(t *task.Task, after time.Duration) {
	s.given.Add(t.ID, time.Now().Add(after))
	s.held.over = s.held.over || s.held.id == t.ID
}

// forget: the task is nobody's any more.
func (s *own) forget(t *task.Task) {
	s.given.Forget(t.ID)
	s.held.over = s.held.over || s.held.id == t.ID
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
		s.free(c.Task, 0)
		return a, task.ErrLost
	}
	return a, nil
}

// Unfinished asks the server, or else remembers.
func (s *own) Unfinished(ctx context.Context) (bool, error) {
	// Of those that were given up here, the statement says for ever that they are unfinished.
	if s.Statements.Unfinished == nil || s.untold.Buried() > 0 {
		return s.given.Any(), nil
	}
	a, _, err := s.say(ctx, s.Statements.Unfinished, Call{})
	return err == nil && len(a.row) > 0 && isTrue(a.row[0]), err
}
