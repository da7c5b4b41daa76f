package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// say runs one of the user's statements; again: it had been said before, to which the
// answer is missing.
func (s *own) say(ctx context.Context, st *Statement, c Call) (a answer, again bool, err error) {
	about := st.Flag
	if c.Options = s.Options; c.Task != nil {
		about = fmt.Sprintf("%s %d %s", st.Flag, c.Task.Attempt, c.Task.ID)
	}
	var bad error
	a, err = s.twice(ctx, func(on *session) (answer, error) {
		again = s.unsure == about
		c.Retry = again
		var args []driver.Value
		if args, bad = st.args(c); bad != nil {
			return answer{}, nil
		}
		a, err := on.once(ctx, st.SQL, args...)
		if s.unsure = ""; err != nil {
			s.unsure = about
		}
		return a, err
	})
	if bad != nil {
		return a, again, bad
	}
	return a, again, s.explain(st, err)
}

// args gives the values of one call. What one task is at fault for is unsayable.
func (st *Statement) args(c Call) ([]driver.Value, error) {
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
	args := make([]driver.Value, len(texts))
	for i, text := range texts {
		args[i] = text
	}
	return args, nil
}

// prove asks the server once what it makes of every statement, before a task is taken:
// the mistake in the one that acknowledges it shouldn't be found when it is done.
// EXPLAIN parses and plans a statement, looks whether the user may do all of it, and
// does nothing; a value of any type may be NULL.
func (s *own) prove(ctx context.Context) error {
	for _, st := range []*Statement{s.Statements.Take, s.Statements.Keep, s.Statements.Done, s.Statements.Fail, s.Statements.Unfinished} {
		if s.proved || st == nil {
			continue
		}
		args := make([]driver.Value, st.Values)
		_, err := s.twice(ctx, func(on *session) (answer, error) { return on.once(ctx, "EXPLAIN "+st.SQL, args...) })
		if err != nil {
			return s.explain(st, err)
		}
	}
	s.proved = true
	return nil
}

// ownHints are what to do about a statement of the user's own that the server refuses,
// by SQLSTATE or its class.
var ownHints = []struct{ code, hint string }{
	{"42501", "GRANT the user what the statement does"},
	{"42601", "correct it: a << >> stands for a value, not for a name or a part of the statement"},
	{"42P18", "say of which type the value is: <<.Index>>::int"},
	{"42883", "if it is a value's type that doesn't fit, say which it is: <<.Index>>::int"},
	{"42725", "say of which type the value is: <<.Index>>::int"},
	{"42804", "say of which type the value is: <<.Index>>::int"},
	{"42", "correct the statement, or the table; a schema that isn't in the search path stands before the table's name"},
	{"3F", "correct the schema's name"},
	{"22", "a value doesn't fit the type for which the server takes it"},
	{"23", "the statement breaks a rule of the table"},
}

// explain says which statement an error is of, without secrets.
func (s *own) explain(st *Statement, err error) error {
	e, ok := errors.AsType[*contract.Error](err)
	if !ok {
		return err
	}
	c := *e
	if r, ok := errors.AsType[*refusal](e.Cause); ok {
		c.Cause = &refusal{s.Hidden(r.message), r.code}
		for _, h := range ownHints {
			if strings.HasPrefix(r.code, h.code) {
				c.Hint = h.hint
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
