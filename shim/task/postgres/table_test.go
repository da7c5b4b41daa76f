package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/task"
	"nth/testdata/servers"
)

func take1(t testing.TB, s task.Source) *task.Task {
	t.Helper()
	got, err := s.Take(t.Context())
	if got == nil || err != nil {
		t.Fatalf("took %v, %v", got, err)
	}
	return got
}

// TestDocumented runs the documented SQL as it is written, and works through the table
// as a role that has been granted just that.
func TestDocumented(t *testing.T) {
	server := servers.StartPostgres(t)
	server.Exec(t, `CREATE ROLE worker LOGIN PASSWORD 'worker';
		CREATE TABLE orders (id int, user_id int, shipped bool); INSERT INTO orders VALUES (1, 42, false), (2, 43, true), (3, 44, false)`)
	server.Exec(t, Schema)
	server.Exec(t, Fill)
	server.Exec(t, Grant)
	s := open(t, "postgres://worker:worker@"+server.Address+"/postgres?sslmode=disable", task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
	one := take1(t, s)
	if got, want := string(one.Payload), `{"id":1,"user_id":42,"shipped":false}`; got != want {
		t.Errorf("took %s, want %s", got, want)
	}
	for what, err := range map[string]error{"keep": s.Keep(t.Context(), one), "release": s.Release(t.Context(), one)} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := s.Done(t.Context(), take1(t, s)); err != nil {
		t.Error(err)
	}
	if dead, err := s.Fail(t.Context(), take1(t, s), task.Failure{Reason: "exit code 1\x00\xff"}); !dead || err != nil {
		t.Error(dead, err)
	}
	if left, err := s.Unfinished(t.Context()); left || err != nil {
		t.Error(left, err)
	}
	var reason string
	if err := server.DB.QueryRow("SELECT error FROM nth_tasks WHERE state = 'dead'").Scan(&reason); err != nil || reason != "exit code 1\uFFFD" {
		t.Errorf("%q, %v", reason, err)
	}
}

// TestTables: a table of one's own, its names whatever they are.
func TestTables(t *testing.T) {
	server := servers.StartPostgres(t)
	for name, ddl := range map[string]string{
		"plain":                         "",
		"My Tasks":                      "",
		`t"; DROP TABLE plain; --`:      "",
		"it's <<Index>> $1 {table}":     "",
		"Other Schema.tasks":            `CREATE SCHEMA "Other Schema"`,
		"uuids":                         `ALTER TABLE uuids ALTER id DROP IDENTITY; ALTER TABLE uuids ALTER id TYPE uuid USING gen_random_uuid(), ALTER id SET DEFAULT gen_random_uuid()`,
		"texts":                         `ALTER TABLE texts ALTER id DROP IDENTITY; ALTER TABLE texts ALTER id TYPE text, ALTER id SET DEFAULT 'a''b', ALTER payload TYPE text USING 'x'`,
		"documents":                     `ALTER TABLE documents ALTER payload TYPE jsonb USING '{}'`,
		"more":                          `ALTER TABLE more ADD priority int NOT NULL DEFAULT 7`,
		strings.Repeat("long_name_", 6): "",
	} {
		t.Run(name, func(t *testing.T) {
			create := strings.NewReplacer("TABLE nth_tasks", "TABLE "+quote(name), "ON nth_tasks", "ON "+quote(name),
				"INDEX nth_tasks_due", "INDEX", "INDEX nth_tasks_worker", "INDEX").Replace(Schema)
			if strings.HasPrefix(ddl, "CREATE") {
				server.Exec(t, ddl)
			}
			server.Exec(t, create)
			if strings.HasPrefix(ddl, "ALTER") {
				server.Exec(t, ddl)
			}
			payload := `{"field": "value"}`
			server.Exec(t, "INSERT INTO "+quote(name)+" (payload) VALUES ($1)", payload)
			s := open(t, server.URL("&table="+url.QueryEscape(name)), task.Options{RunID: "a", Lease: time.Minute})
			got := take1(t, s)
			if string(got.Payload) != payload || got.ID == "" {
				t.Errorf("took %+v", got)
			}
			if err := s.Done(t.Context(), got); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOrder: what a dead worker held comes first, then what is due longest; what isn't
// due doesn't come.
func TestOrder(t *testing.T) {
	server := servers.StartPostgres(t)
	q := newQueue(t, server)
	server.Exec(t, "INSERT INTO "+q.table+` (id, payload, state, due, attempt, run_id, worker) VALUES
		(1, 'young', 'ready', now() - interval '1s', 0, NULL, NULL),
		(2, 'old', 'ready', now() - interval '1h', 0, NULL, NULL),
		(3, 'later', 'ready', now() + interval '1h', 0, NULL, NULL),
		(4, 'held', 'running', now() + interval '1h', 1, 'b', 1),
		(5, 'expired', 'running', now() - interval '1s', 1, 'c', 2),
		(6, 'done', 'done', now() - interval '1h', 1, 'c', 2),
		(7, 'dead', 'dead', now() - interval '1h', 3, 'c', 2)`)
	s := q.Open(t, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 3})
	var got []string
	for {
		one, err := s.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if one == nil {
			break
		}
		got = append(got, string(one.Payload))
		if err := s.Done(t.Context(), one); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{"expired", "old", "young"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWorkersDie: a task that kills its workers is dead after as many as it may have
// attempts, and doesn't keep the next one from being taken; one that was released
// hasn't had that attempt.
func TestWorkersDie(t *testing.T) {
	server := servers.StartPostgres(t)
	q := newQueue(t, server)
	q.Fill(t, []byte("killer"))
	for attempt := 1; attempt <= 2; attempt++ {
		for _, released := range []bool{true, false} {
			s := q.Open(t, task.Options{Index: 3, RunID: fmt.Sprint(attempt, "-", released), Lease: time.Millisecond, MaxAttempts: 2})
			time.Sleep(10 * time.Millisecond)
			got := take1(t, s)
			if got.Attempt != attempt || string(got.Payload) != "killer" {
				t.Errorf("took %+v", got)
			}
			if released {
				if err := s.Release(t.Context(), got); err != nil {
					t.Error(err)
				}
			}
		}
	}
	q.Fill(t, []byte("next"))
	time.Sleep(10 * time.Millisecond)
	s := q.Open(t, task.Options{Index: 3, RunID: "last", Lease: time.Minute, MaxAttempts: 2})
	const why = "its worker died, or was stopped, in attempt 2 of 2"
	if got := take1(t, s); string(got.Payload) != "killer" || got.Aside != why {
		t.Errorf("told of %+v", got)
	}
	if got := take1(t, s); string(got.Payload) != "next" {
		t.Errorf("took %+v", got)
	}
	if diff := cmp.Diff([]row{{"dead", 2, "2-false"}, {"running", 1, "last"}}, q.rows(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := q.count(t, "error = '"+why+"'"); n != 1 {
		t.Error("the dead task doesn't say why")
	}
}

// TestOldDelivery: a run that has lost a task and taken it again does nothing to it in
// the old delivery's name.
func TestOldDelivery(t *testing.T) {
	server := servers.StartPostgres(t)
	q := newQueue(t, server)
	q.Fill(t, []byte("x"))
	s := q.Open(t, task.Options{RunID: "a", Lease: time.Millisecond, MaxAttempts: 3})
	old := take1(t, s)
	time.Sleep(10 * time.Millisecond)
	now := take1(t, s)
	_, failed := s.Fail(t.Context(), old, task.Failure{Reason: "late"})
	for what, err := range map[string]error{"keep": s.Keep(t.Context(), old), "done": s.Done(t.Context(), old), "fail": failed, "release": s.Release(t.Context(), old)} {
		if !errors.Is(err, task.ErrLost) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if diff := cmp.Diff([]row{{"running", 2, "a"}}, q.rows(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := s.Keep(t.Context(), now); err != nil { // nobody has taken it since its lease ended
		t.Error(err)
	}
}

// TestPlans: no statement reads the whole table, however many tasks are in it.
func TestPlans(t *testing.T) {
	server := servers.StartPostgres(t)
	q := newQueue(t, server)
	server.Exec(t, "INSERT INTO "+q.table+` (payload, state, due, worker, run_id, attempt) SELECT 'x',
		CASE WHEN i % 3 = 0 THEN 'done' WHEN i % 100 = 1 THEN 'running' ELSE 'ready' END, now() + i % 7 * interval '1s', i % 50, 'r', i % 4
		FROM generate_series(1, 50000) AS i; ANALYZE `+q.table)
	all := statementsFor(q.table)
	for name, row := range map[string]struct{ statement, args string }{
		"take":       {all.take, "(60000000, 'a', 1, 3, false)"},
		"take again": {all.take, "(60000000, 'a', 1, 3, true)"},
		"keep":       {all.keep, "(1, 'a', 1, 60000000)"},
		"done":       {all.done, "(1, 'a', 1)"},
		"fail":       {all.fail, "(1, 'a', 1, 3, 60000000, 'why')"},
		"release":    {all.release, "(1, 'a', 1)"},
		"unfinished": {all.unfinished, "(1000)"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := server.DB.Conn(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.ExecContext(t.Context(), "DEALLOCATE ALL; PREPARE statement AS "+row.statement); err != nil {
				t.Fatal(err)
			}
			lines, err := c.QueryContext(t.Context(), "EXPLAIN EXECUTE statement"+row.args)
			if err != nil {
				t.Fatal(err)
			}
			defer lines.Close()
			var plan strings.Builder
			for lines.Next() {
				var line string
				if err := lines.Scan(&line); err != nil {
					t.Fatal(err)
				}
				plan.WriteString(line + "\n")
			}
			if strings.Contains(plan.String(), "Seq Scan on "+q.table) || !strings.Contains(plan.String(), "Index") || strings.Contains(plan.String(), "Sort") {
				t.Errorf("the plan reads more than it must:\n%s", plan.String())
			}
		})
	}
}
