package statements

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/tasks"
)

func kind(err error) contract.Kind {
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e.Kind
	}
	return -1
}

// TestOwnForgets: what was given back leaves next to nothing behind. Nothing is asked: a
// statement is never run.
func TestOwnForgets(t *testing.T) {
	s := &own{Options: task.Options{Lease: time.Minute}, held: held{over: true}, given: &task.Given{}, untold: &task.Untold{}}
	before := tasks.Bytes(s)
	for i := range 100_000 {
		if _, err := s.Fail(t.Context(), &task.Task{ID: fmt.Sprint("task ", i), Payload: make([]byte, 1000)}, task.Failure{}); kind(err) != contract.Invalid { // nobody can be told
			t.Fatal(err)
		}
	}
	if more := tasks.Bytes(s) - before; more > 20_000 {
		t.Errorf("100,000 tasks left %d bytes behind", more)
	}
	if yes, err := s.Unfinished(t.Context()); !yes || err != nil {
		t.Errorf("unfinished: %v, %v", yes, err)
	}
}

// TestOwnNotTheTask: what isn't the task's fault is an error of Take's.
func TestOwnNotTheTask(t *testing.T) {
	st := &Statement{Flag: "--done-sql", Args: func(Call) ([]string, error) {
		return nil, &contract.Error{Kind: contract.Denied, Cause: errors.New("the secret isn't there")}
	}}
	s := &own{Statements: Statements{Keep: st, Done: st}}
	broken, err := s.tellable(&task.Task{ID: "1"})
	if broken != nil || kind(err) != contract.Denied || err.Error() != "--done-sql: the secret isn't there" {
		t.Errorf("%v, %v", broken, err)
	}
}

// lateServer loses the first answer, and has no task and nothing unfinished after that.
type lateServer struct{ lost, unsure bool }

func (l *lateServer) Try(_ context.Context, do func(Session) (Answer, error)) (Answer, error) {
	return do(l)
}
func (l *lateServer) Prove(context.Context, *Statement) (Answer, error) { return Answer{}, nil }
func (l *lateServer) Close() error                                      { return nil }
func (l *lateServer) Once(context.Context, string, []driver.Value) (Answer, bool, error) {
	if !l.lost {
		l.lost = true
		return Answer{}, l.unsure, &contract.Error{Kind: contract.Unreachable, Cause: errors.New("the connection was lost")}
	}
	return Answer{Columns: []string{"id", "payload"}}, false, nil
}

// TestOwnLate: a worker doesn't leave while the server may still be at a take whose answer was
// lost, and of which it knows nothing yet; one that it never heard of holds nobody.
func TestOwnLate(t *testing.T) {
	for _, unsure := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			st := &Statement{Args: func(Call) ([]string, error) { return nil, nil }}
			st.Flag = "--take-sql"
			q := &Queue{Server: &lateServer{unsure: unsure}}
			s, err := Open(q, "q", nil, task.Options{Lease: time.Hour}, Statements{Take: st, Unfinished: st})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Take(t.Context()); kind(err) != contract.Unreachable {
				t.Fatal(err)
			}
			if got, err := s.Take(t.Context()); got != nil || err != nil {
				t.Fatalf("took %v, %v", got, err)
			}
			if more, err := s.Unfinished(t.Context()); more != unsure || err != nil {
				t.Errorf("unfinished: %v, %v", more, err)
			}
			time.Sleep(task.Settled)
			if more, err := s.Unfinished(t.Context()); more || err != nil {
				t.Errorf("unfinished later: %v, %v", more, err)
			}
		})
	}
}
