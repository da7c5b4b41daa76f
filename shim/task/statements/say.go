package statements

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// say runs one of the user's statements; again: it had been said before, to which the
// answer is missing.
func (s *own) say(ctx context.Context, st *Statement, c Call) (a Answer, again bool, err error) {
	about := st.Flag
	if c.Options = s.Options; c.Task != nil {
		about = fmt.Sprintf("%s %d %s", st.Flag, c.Task.Attempt, c.Task.ID)
	}
	var bad error
	a, err = s.queue.Server.Try(ctx, func(on Session) (Answer, error) {
		again = s.unsure == about
		c.Retry = again
		var values []driver.Value
		if values, bad = st.values(c); bad != nil {
			return Answer{}, nil
		}
		a, unsure, err := on.Once(ctx, st.SQL, values)
		if err == nil {
			s.unsure = ""
		} else if unsure {
			s.unsure = about
		}
		return a, err
	})
	if bad != nil {
		return a, again, bad
	}
	return a, again, s.explain(st, err)
}

// values gives those of one call. What one task is at fault for is unsayable.
func (st *Statement) values(c Call) ([]driver.Value, error) {
	texts, err := st.Args(c)
	e, other := errors.AsType[*contract.Error](err)
	switch {
	case other:
		return nil, st.at(e)
	case err != nil:
		why := st.at(&contract.Error{Kind: contract.Invalid, Cause: err})
		if c.Task == nil {
			return nil, why
		}
		return nil, &task.Unsayable{Why: why}
	}
	values := make([]driver.Value, len(texts))
	for i, text := range texts {
		values[i] = text
	}
	return values, nil
}

// prove asks the server once what it makes of every statement, before a task is taken:
// the mistake in the one that acknowledges it shouldn't be found when it is done.
func (s *own) prove(ctx context.Context) error {
	for _, st := range []*Statement{s.Statements.Take, s.Statements.Keep, s.Statements.Done, s.Statements.Fail, s.Statements.Unfinished} {
		if s.proved || st == nil {
			continue
		}
		if _, err := s.queue.Server.Try(ctx, func(on Session) (Answer, error) { return on.Prove(ctx, st) }); err != nil {
			return s.explain(st, err)
		}
	}
	s.proved = true
	return nil
}

// explain says which statement an error is of, without secrets.
func (s *own) explain(st *Statement, err error) error {
	e, ok := errors.AsType[*contract.Error](err)
	if !ok {
		return err
	}
	c := *e
	if r, ok := errors.AsType[*Refusal](e.Cause); ok {
		c.Cause = &Refusal{s.Hidden(r.Message), r.Number, r.State}
		for _, h := range s.queue.Hints {
			if r.of(h.Code) && c.Kind != contract.Unsupported {
				c.Hint = h.Hint
				break
			}
		}
	}
	return st.at(&c)
}

// at says which statement an error is of.
func (st *Statement) at(e *contract.Error) *contract.Error {
	return &contract.Error{Kind: e.Kind, Cause: fmt.Errorf("%s: %w", st.Flag, e.Cause), Hint: e.Hint}
}
