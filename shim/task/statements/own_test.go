package statements

import (
	"errors"
	"fmt"
	"testing"
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
