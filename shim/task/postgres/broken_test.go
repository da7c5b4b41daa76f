package postgres

import (
	"strings"
	"testing"
	"time"

	"nth/shim/task"
	"nth/testdata/servers"
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
