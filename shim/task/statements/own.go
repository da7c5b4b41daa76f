package statements

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
)

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
		if s.unsure != "" {
			s.late = time.Now().Add(min(s.Lease, task.Settled))
		}
		return nil, err
	}
	t, wrong := s.queue.delivery(&a)
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
		if _, err := st.values(Call{Options: s.Options, Task: t}); task.IsUnsayable(err) {
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
	return s.giveBack(ctx, Call{Task: t, Delay: f.After, Reason: Clean(f.Reason), Dead: s.MaxAttempts > 0 && t.Attempt >= s.MaxAttempts})
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
	if i := slices.Index(a.Columns, "dead"); i >= 0 && a.Row != nil {
		dead = s.queue.isTrue(a.Row[i])
	}
	if dead {
		s.forget(t)
	} else {
		s.free(t, c.Delay)
	}
	return dead, nil
}

// ofRow tells whether the server refuses a value, or what it would make of a row (SQLSTATE
// classes 22 and 23): with another task's it would not.
func ofRow(err error) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && (r.of("22") || r.of("23"))
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
func (s *own) tell(ctx context.Context, st *Statement, c Call) (Answer, error) {
	a, again, err := s.say(ctx, st, c)
	if err != nil {
		return a, err
	}
	lost := a.Rows == 0 || len(a.Columns) == 1 && a.Columns[0] != "dead" && a.Row != nil && s.queue.isFalse(a.Row[0])
	if lost && again && st != s.Statements.Keep {
		return a, nil // it was the first time that did it, whose answer is missing
	}
	if lost {
		s.free(c.Task, 0)
		return a, task.ErrLost
	}
	return a, nil
}

// Unfinished asks the server, or else remembers. As long as that may still be at a take without
// an answer, it doesn't know of the task yet.
func (s *own) Unfinished(ctx context.Context) (bool, error) {
	// Of those that were given up here, the statement says for ever that they are unfinished.
	if s.Statements.Unfinished == nil || s.untold.Buried() > 0 {
		return s.given.Any(), nil
	}
	if time.Now().Before(s.late) {
		return true, nil
	}
	a, _, err := s.say(ctx, s.Statements.Unfinished, Call{})
	return err == nil && len(a.Row) > 0 && s.queue.isTrue(a.Row[0]), err
}

// Clean makes a text of a reason, which has no NUL.
func Clean(reason string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(reason, "\uFFFD"), "\x00", "")
}
