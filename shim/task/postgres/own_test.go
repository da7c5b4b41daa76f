package postgres

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

func (j *jobs) rows(t testing.TB) []row {
	t.Helper()
	return j.scan(t, "SELECT status, tries, coalesce(locked_by, '') FROM "+j.table+" ORDER BY body")
}

// TestOwnLost: as TestLost, for a user's own statements, which know nothing of it.
func TestOwnLost(t *testing.T) {
	server := servers.StartPostgres(t)
	ctx := t.Context()
	options := task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1}
	steps := map[string]struct {
		do     func(s task.Source, held *task.Task) (any, error)
		answer any
		want   row
	}{
		"keep":       {func(s task.Source, held *task.Task) (any, error) { return nil, s.Keep(ctx, held) }, nil, row{"working", 1, "a"}},
		"done":       {func(s task.Source, held *task.Task) (any, error) { return nil, s.Done(ctx, held) }, nil, row{"finished", 1, "a"}},
		"fail":       {func(s task.Source, held *task.Task) (any, error) { return s.Fail(ctx, held, task.Failure{Reason: "r"}) }, true, row{"broken", 1, "a"}},
		"release":    {func(s task.Source, held *task.Task) (any, error) { return nil, s.Release(ctx, held) }, nil, row{"new", 0, "a"}},
		"unfinished": {func(s task.Source, _ *task.Task) (any, error) { return s.Unfinished(ctx) }, true, row{"working", 1, "a"}},
	}
	for _, way := range []string{"request", "answer"} {
		for _, times := range []int{1, 2} {
			for name, step := range steps {
				t.Run(fmt.Sprint(name, "/", way, " lost ", times), func(t *testing.T) {
					j, p := newJobs(t, server), startProxy(t, server.Address)
					j.address = func(more string) string { return p.url(t, server.URL(more)) }
					j.Fill(t, []byte("x"))
					s := j.Open(t, options)
					held := take1(t, s)
					p.lose(way, times)
					answer, err := step.do(s, held)
					if times == 2 {
						if kind(err) != contract.Unreachable {
							t.Errorf("with the connection lost: %v", err)
						}
						answer, err = step.do(s, held)
					}
					if answer != step.answer || err != nil {
						t.Errorf("got %v, %v; want %v", answer, err, step.answer)
					}
					if diff := cmp.Diff([]row{step.want}, j.rows(t)); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				})
			}
			t.Run(fmt.Sprint("take/", way, " lost ", times), func(t *testing.T) {
				j, p := newJobs(t, server), startProxy(t, server.Address)
				j.address = func(more string) string { return p.url(t, server.URL(more)) }
				s := j.Open(t, options)
				none(t, s)
				j.Fill(t, []byte("x"), []byte("y"))
				p.lose(way, times)
				got, err := s.Take(ctx)
				for kind(err) == contract.Unreachable {
					got, err = s.Take(ctx)
				}
				if got == nil || string(got.Payload) != "x" || err != nil {
					t.Errorf("took %+v, %v", got, err)
				}
				if all := j.rows(t); all[0].State != "working" || all[1].State != "new" {
					t.Errorf("the tasks are %v", all)
				}
				// The next one is another, though it also was asked for twice.
				if err := s.Done(ctx, got); err != nil {
					t.Error(err)
				}
				if next := take1(t, s); string(next.Payload) != "y" {
					t.Errorf("took %+v", next)
				}
			})
		}
	}
}

func none(t testing.TB, s task.Source) {
	t.Helper()
	if got, err := s.Take(t.Context()); got != nil || err != nil {
		t.Fatalf("took %+v, %v", got, err)
	}
}

// TestOwnMistakes: what is wrong with a statement is found before a task is taken, in an
// empty queue and in a full one, whichever statement it is.
func TestOwnMistakes(t *testing.T) {
	server := servers.StartPostgres(t)
	server.Exec(t, "CREATE ROLE reader LOGIN PASSWORD 'reader'; CREATE TABLE other (id int)")
	for _, tt := range []struct {
		name, flag, sql string
		kind            contract.Kind
		says, hint      string
	}{
		{"no such table", "--done-sql", "DELETE FROM nothing WHERE id = <<.TaskID>>::int", contract.NoSuch, `--done-sql: the database refuses: relation "nothing" does not exist (42P01)`, "schema"},
		{"no such column", "--keep-sql", "UPDATE {} SET lease = now() WHERE id = <<.TaskID>>", contract.Refused, "(42703)", "correct the statement"},
		{"no SQL", "--fail-sql", "UPDATE {} SOT note = <<.Reason>> WHERE id = <<.TaskID>>", contract.Refused, "--fail-sql: the database refuses: syntax error at or near \"note\" (42601)", "correct it"},
		{"a value for a name", "--take-sql", "SELECT id, body AS payload FROM <<.Job>>", contract.Refused, "(42601)", "not for a name"},
		{"a type that isn't known", "--unfinished-sql", "SELECT pg_typeof(<<.Index>>)", contract.Refused, "(42P18)", "<<.Index>>::int"},
		{"a type that doesn't fit", "--unfinished-sql", "SELECT worker = <<.RunID>>::text FROM {}", contract.Refused, "(42883)", "<<.Index>>::int"},
		{"no such schema", "--done-sql", "SELECT nowhere.done(<<.TaskID>>)", contract.NoSuch, "(3F000)", "schema's name"},
		{"no id", "--take-sql", "SELECT body AS payload FROM {} LIMIT 1", contract.Malformed, "--take-sql: there is no column id, only (payload)", "RETURNING id"},
		{"no payload", "--take-sql", "SELECT id FROM {} LIMIT 1", contract.Malformed, "there is no column payload, only (id)", "RETURNING id"},
		{"no columns", "--take-sql", "UPDATE {} SET status = 'working'", contract.Malformed, "there is no column id, only ()", "RETURNING id"},
		{"a column twice", "--take-sql", "SELECT a.id, b.id, a.body AS payload FROM {} a, {} b LIMIT 1", contract.Malformed, "there are two columns id", "AS"},
		{"only to read", "reader", "", contract.Denied, "permission denied for table", "GRANT"},
	} {
		for _, full := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, " full ", full), func(t *testing.T) {
				j := newJobs(t, server)
				server.Exec(t, "GRANT SELECT ON "+j.table+" TO reader")
				if full {
					j.Fill(t, []byte("x"))
				}
				before := j.rows(t)
				if tt.flag == "reader" {
					j.statements["--take-sql"] = "SELECT id, body AS payload FROM " + j.table + " LIMIT 1"
					j.address = func(more string) string {
						return "postgres://reader:reader@" + server.Address + "/postgres?sslmode=disable" + more
					}
				} else {
					j.statements[tt.flag] = strings.ReplaceAll(tt.sql, "{}", j.table)
				}
				got, err := openJobs(t, j).Take(t.Context())
				e, ok := errors.AsType[*contract.Error](err)
				if got != nil || !ok || e.Kind != tt.kind || !strings.Contains(e.Error(), tt.says) || !strings.Contains(e.Hint, tt.hint) {
					t.Errorf("took %+v, %v (%+v)", got, err, e)
				}
				if diff := cmp.Diff(before, j.rows(t)); diff != "" && tt.name != "no columns" {
					t.Errorf("something was done (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func openJobs(t testing.TB, j *jobs) task.Source {
	t.Helper()
	return j.Open(t, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 2})
}

// TestOwnRows: what a take may give.
func TestOwnRows(t *testing.T) {
	odd := func(id string) *task.Task { return &task.Task{ID: id, Payload: []byte("1"), Meta: map[string]string{}} }
	server := servers.StartPostgres(t)
	for _, tt := range []struct {
		name, sql string
		want      *task.Task
		says      string
	}{
		{"all that there is", `SELECT 7 AS attempt, '{"a": 1}'::jsonb AS payload, 42::bigint AS id, 'x' AS kind, NULL AS nothing, 1.50 AS price, true AS yes, 0.1::float8 AS f,
			'2026-01-02 03:04:05+00'::timestamptz AS at, ARRAY[1, 2] AS list, '\x00ff'::bytea AS bytes`,
			&task.Task{ID: "42", Payload: []byte(`{"a": 1}`), Attempt: 7, Meta: map[string]string{"kind": "x", "price": "1.50", "yes": "true", "f": "0.1",
				"at": "2026-01-02T03:04:05Z", "list": "{1,2}", "bytes": "\x00\xff"}}, ""},
		{"bytes", `SELECT '\x0001ff'::bytea AS payload, 'a' AS id`, &task.Task{ID: "a", Payload: []byte("\x00\x01\xff"), Meta: map[string]string{}}, ""},
		{"no payload", "SELECT NULL::text AS payload, 'a' AS id", &task.Task{ID: "a", Meta: map[string]string{}}, ""},
		{"a number", "SELECT 12 AS payload, '6fa459ea-ee8a-3ca4-894e-db77e160355e'::uuid AS id",
			&task.Task{ID: "6fa459ea-ee8a-3ca4-894e-db77e160355e", Payload: []byte("12"), Meta: map[string]string{}}, ""},
		{"with values", "SELECT <<.Index>>::int + 1 AS id, <<.Lease>> || ' ' || <<.MaxAttempts>> || ' ' || <<.Retry>> AS payload",
			&task.Task{ID: "4", Payload: []byte("60 2 false"), Meta: map[string]string{}}, ""},
		{"a text that looks like SQL", `SELECT <<"'; DROP TABLE x; --">> AS id, <<"<<">> AS payload`, nil, "syntax error"},
		{"a shift", `SELECT 1 <<"<<">> 3 >> 1 AS id, '' AS payload`, &task.Task{ID: "4", Payload: []byte{}, Meta: map[string]string{}}, ""},
		{"quotes in a value", `SELECT <<"'; DROP TABLE x; --">> AS id, '' AS payload`, &task.Task{ID: "'; DROP TABLE x; --", Payload: []byte{}, Meta: map[string]string{}}, ""},
		{"none", "SELECT 1 AS id, 2 AS payload WHERE false", nil, ""},
		{"several", "SELECT n AS id, n AS payload FROM generate_series(1, 3) AS n", nil, "--take-sql: it took 3 tasks at once"},
		{"several, with a value", "SELECT n AS id, <<.Index>> AS payload FROM generate_series(1, 3) AS n", nil, "it took 3 tasks at once"},
		{"no id", "SELECT NULL AS id, 1 AS payload", odd("sha256:6b86b273ff34fce1"), "the task has no id"},
		{"an empty id", "SELECT '' AS id, 1 AS payload", odd("sha256:6b86b273ff34fce1"), "the task has no id"},
		{"no number", "SELECT 1 AS id, 1 AS payload, 'first' AS attempt", odd("1"), "the attempt isn't a number"},
		{"no attempt", "SELECT 1 AS id, 1 AS payload, NULL AS attempt", odd("1"), "the attempt isn't a number"},
		{"the server's own mistake", "SELECT 1 AS id, 1 / (<<.Index>>::int - 3) AS payload", nil, "--take-sql: the database refuses: division by zero (22012)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newJobs(t, server)
			j.statements["--take-sql"] = tt.sql
			got, err := j.Open(t, task.Options{Index: 3, RunID: "a", Lease: time.Minute, MaxAttempts: 2}).Take(t.Context())
			if got != nil && got.Broken != nil { // it is the task's fault
				err, got.Broken = got.Broken, nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			want := contract.Malformed
			if strings.Contains(fmt.Sprint(err), "the database refuses") {
				want = contract.Refused
			}
			if tt.says == "" && err != nil || tt.says != "" && (kind(err) != want || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
}

// TestOwnFunctions: a function says by false that the task is another's, and by dead
// what becomes of one that failed.
func TestOwnFunctions(t *testing.T) {
	server := servers.StartPostgres(t)
	ctx := t.Context()
	server.Exec(t, `CREATE FUNCTION says(yes boolean) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN yes; END $$`)
	j := newJobs(t, server)
	open := func(answer string) (task.Source, *task.Task) {
		j.statements = map[string]string{
			"--take-sql": "SELECT 1 AS id, 1 AS payload, 1 AS attempt", "--keep-sql": "SELECT says(" + answer + ")", "--done-sql": "SELECT says(" + answer + ")",
			"--fail-sql": "SELECT says(" + answer + ") AS dead", "--unfinished-sql": "SELECT says(" + answer + ")",
		}
		s := openJobs(t, j)
		return s, take1(t, s)
	}
	for answer, yes := range map[string]bool{"true": true, "false": false} {
		s, held := open(answer)
		for what, err := range map[string]error{"keep": s.Keep(ctx, held), "done": s.Done(ctx, held)} {
			if yes && err != nil || !yes && !errors.Is(err, task.ErrLost) {
				t.Errorf("%s, %s: %v", answer, what, err)
			}
		}
		if dead, err := s.Fail(ctx, held, task.Failure{}); dead != yes || err != nil {
			t.Errorf("%s, fail: %v, %v", answer, dead, err)
		}
		if more, err := s.Unfinished(ctx); more != yes || err != nil {
			t.Errorf("%s, unfinished: %v, %v", answer, more, err)
		}
	}
	for sql, want := range map[string]bool{"SELECT 0": false, "SELECT 2": true, "SELECT NULL": false, "SELECT 1 WHERE false": false, "SELECT 'x'": true, "SELECT count(*) FROM " + j.table: false} {
		j.statements["--unfinished-sql"] = sql
		if more, err := openJobs(t, j).Unfinished(ctx); more != want || err != nil {
			t.Errorf("%s: %v, %v", sql, more, err)
		}
	}
}

// TestOwnMemory: without a statement that tells, a worker remembers what it took; and
// without one to give a task back, its lease must end.
func TestOwnMemory(t *testing.T) {
	server := servers.StartPostgres(t)
	ctx := t.Context()
	j := newJobs(t, server)
	delete(j.statements, "--unfinished-sql")
	unfinished := func(s task.Source, want bool) {
		t.Helper()
		if got, err := s.Unfinished(ctx); got != want || err != nil {
			t.Errorf("unfinished: %v, %v; want %v", got, err, want)
		}
	}
	s := j.Open(t, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 2})
	unfinished(s, false)
	j.Fill(t, []byte("x"))
	one := take1(t, s)
	unfinished(s, true)
	if dead, err := s.Fail(ctx, one, task.Failure{}); dead || err != nil {
		t.Errorf("fail: %v, %v", dead, err)
	}
	unfinished(s, true) // it is ours until there is nothing to take
	two := take1(t, s)
	if dead, err := s.Fail(ctx, two, task.Failure{}); !dead || err != nil {
		t.Errorf("fail: %v, %v", dead, err)
	}
	unfinished(s, false)
	j.Fill(t, []byte("y"))
	if err := s.Release(ctx, take1(t, s)); err != nil {
		t.Error(err)
	}
	other := j.Open(t, task.Options{RunID: "b", Lease: time.Minute})
	if err := other.Done(ctx, take1(t, other)); err != nil {
		t.Error(err)
	}
	unfinished(other, false)
	none(t, s)
	unfinished(s, false)

	p := startProxy(t, server.Address)
	j.address = func(more string) string { return p.url(t, server.URL(more)) }
	s = openJobs(t, j)
	none(t, s)
	unfinished(s, false)
	p.lose("answer", 2)
	if _, err := s.Take(ctx); kind(err) != contract.Unreachable {
		t.Errorf("take: %v", err)
	}
	unfinished(s, true) // nobody knows what it took
	j.address = server.URL

	delete(j.statements, "--fail-sql")
	s = j.Open(t, task.Options{RunID: "c", Lease: time.Minute})
	j.Fill(t, []byte("z"))
	one = take1(t, s)
	if dead, err := s.Fail(ctx, one, task.Failure{}); dead || kind(err) != contract.Invalid { // nobody can be told
		t.Errorf("fail: %v, %v", dead, err)
	}
	none(t, s)
	unfinished(s, true)
	server.Exec(t, "UPDATE "+j.table+" SET locked_until = now() WHERE status = 'working'")
	if two := take1(t, s); two.ID != one.ID || two.Attempt != 2 {
		t.Errorf("took %+v, then %+v", one, two)
	}

	u, _ := url.Parse(server.URL("&queue=x"))
	if _, err := OpenOwn(u, task.Options{MaxAttempts: 1}, Statements{}); kind(err) != contract.Invalid {
		t.Errorf("attempts that nobody counts: %v", err)
	}
}

// TestOwnTimeout: a statement that takes longer than the server allows is tried again
// by the caller; the task stays ours.
func TestOwnTimeout(t *testing.T) {
	server := servers.StartPostgres(t)
	j := newJobs(t, server)
	j.address = func(more string) string { return server.URL(more + "&options=-c%20statement_timeout%3D100ms") }
	s := openJobs(t, j)
	j.Fill(t, []byte("x"))
	held := take1(t, s)
	tx, err := server.DB.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("SELECT FROM " + j.table + " FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	if err := s.Done(t.Context(), held); kind(err) != contract.Unreachable || !strings.Contains(err.Error(), "--done-sql: the database refuses: canceling statement due to statement timeout (57014)") {
		t.Errorf("done: %v", err)
	}
	none(t, s) // which doesn't wait for others
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Done(t.Context(), held); err != nil || j.Left(t) != 0 {
		t.Errorf("done: %v", err)
	}
}

// TestOwnName: the queue's name is the URL's, whatever the statements are.
func TestOwnName(t *testing.T) {
	at(t, nil)
	for address, want := range map[string]string{"postgres://a:secret@one/db?queue=q": "db/q", "postgres://me@two?queue=q": "me/q", "postgres://a/db?queue=q&sslmode=bad": "db/q"} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := Name(u); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	for address, own := range map[string]bool{"postgres://h/d": true, "postgres://h/d?queue=": true, "postgres://h/d?table=t": true, "postgres://h/d?table=t&queue=q": true, "postgres://h/d?queue=q": false} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		open := Open
		if own {
			open = func(u *url.URL, o task.Options) (task.Source, error) { return OpenOwn(u, o, Statements{}) }
		}
		if _, err := open(u, task.Options{}); kind(err) != contract.Invalid || !strings.Contains(err.Error(), "queue") {
			t.Errorf("%s, own statements %v: %v", address, own, err)
		}
	}
}
