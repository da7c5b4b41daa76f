package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// TestOwnBroken: a task of which a statement can't be made, or whose values the server
// refuses, fails: it has its attempts, whatever the table can be told, and then isn't
// seen again.
func TestOwnBroken(t *testing.T) {
	server := servers.StartPostgres(t)
	for _, tt := range []struct {
		name, flag, sql string
		says            string // of the task; "": it isn't found out before it has failed
		told            bool   // the table knows
	}{
		{"done", "--done-sql", "DELETE FROM {} WHERE id = <<.TaskID>>::uuid AND <<.Task.nothing>> = 'x'", "--done-sql: ", true},
		{"fail", "--fail-sql", "UPDATE {} SET status = <<.Task.nothing>> WHERE id = <<.TaskID>>::uuid", "--fail-sql: ", false},
		{"a value that doesn't fit", "--fail-sql", "UPDATE {} SET status = 'x' WHERE id = (<<.TaskID>> || 'x')::uuid", "", false},
		{"a rule of the table", "--fail-sql", "UPDATE {} SET id = NULL WHERE id = <<.TaskID>>::uuid", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newJobs(t, server)
			j.statements[tt.flag] = strings.ReplaceAll(tt.sql, "{}", j.table)
			j.statements["--unfinished-sql"] = ""
			if !tt.told { // as if each task's lease were over at once
				j.statements["--take-sql"] = "SELECT id, body AS payload FROM " + j.table + " WHERE status = 'new' LIMIT 1"
			}
			j.Fill(t, []byte("bad"))
			s := j.Open(t, task.Options{RunID: "a", Lease: time.Millisecond, MaxAttempts: 2})
			defer s.Close()
			for n := 1; n <= 2; n++ {
				got, err := s.Take(t.Context())
				if err != nil || got == nil || (got.Broken == nil) != (tt.says == "") || got.Broken != nil && !strings.Contains(got.Broken.Error(), tt.says) {
					t.Fatalf("took %+v, %v", got, err)
				}
				dead, err := s.Fail(t.Context(), got, task.Failure{Reason: "broken"})
				if err != nil || !tt.told && dead != (n == 2) {
					t.Errorf("failure %d: dead %v, %v", n, dead, err)
				}
				if tt.told {
					return
				}
			}
			if got, err := s.Take(t.Context()); got != nil || err != nil {
				t.Errorf("took %+v, %v", got, err)
			}
			if yes, err := s.Unfinished(t.Context()); yes || err != nil {
				t.Errorf("unfinished: %v, %v", yes, err)
			}
		})
	}
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
