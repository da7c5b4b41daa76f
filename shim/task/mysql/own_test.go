package mysql

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/statements"
	"nth/testdata/servers"
)

func (j *jobs) rows(t testing.TB) (all []row) {
	t.Helper()
	rows, err := j.server.DB.Query("SELECT status, tries, coalesce(locked_by, '') FROM " + j.table + " ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.State, &r.Attempt, &r.Run); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func none(t testing.TB, s task.Source) {
	t.Helper()
	if got, err := s.Take(t.Context()); got != nil || err != nil {
		t.Fatalf("took %+v, %v", got, err)
	}
}

func openJobs(t testing.TB, j *jobs) task.Source {
	t.Helper()
	return j.Open(t, task.Options{RunID: "a", Index: 3, Lease: time.Minute, MaxAttempts: 2})
}

// TestOwnStatements is about one server.
func TestOwnStatements(t *testing.T) {
	server := servers.StartMariaDB(t, odd...)
	for name, test := range map[string]func(*testing.T, *servers.MariaDB){
		"lost": ownLost, "mistakes": ownMistakes, "rows": ownRows, "answers": ownAnswers, "hostile": ownHostile,
		"variables": ownVariables, "deadlock": ownDeadlock, "broken": ownBroken, "many": ownMany,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

// ownLost: as TestLost, for a user's own statements, which know nothing of it.
func ownLost(t *testing.T, server *servers.MariaDB) {
	ctx := t.Context()
	options := ofRun("a", 1)
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
	through := func(t *testing.T) (*jobs, *proxy) {
		j, p := newJobs(t, server), startProxy(t, server.Address)
		j.address = func(more string) string {
			return fmt.Sprintf("mysql://%s@%s/work?ssl-mode=DISABLED%s", servers.MariaDBUser, p.Addr(), more)
		}
		return j, p
	}
	for _, way := range []string{"request", "answer"} {
		for _, times := range []int{1, 2} {
			for name, step := range steps {
				t.Run(fmt.Sprint(name, "/", way, " lost ", times), func(t *testing.T) {
					j, p := through(t)
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
				j, p := through(t)
				s := j.Open(t, options)
				none(t, s)
				j.Fill(t, []byte("x"), []byte("y"))
				p.lose(way, times)
				got, err := s.Take(ctx)
				for kind(err) == contract.Unreachable {
					got, err = s.Take(ctx)
				}
				if got == nil || string(got.Payload) != "x" || err != nil {
					t.Fatalf("took %+v, %v", got, err)
				}
				if all := j.rows(t); all[0].State != "working" || all[1].State != "new" {
					t.Errorf("the tasks are %v", all)
				}
				if err := s.Done(ctx, got); err != nil { // the next one is another
					t.Error(err)
				}
				if next := take1(t, s); string(next.Payload) != "y" {
					t.Errorf("took %+v", next)
				}
			})
		}
	}
}

// ownMistakes: what is wrong with a statement is found before a task is taken, in an empty
// queue and in a full one, whichever statement it is.
func ownMistakes(t *testing.T, server *servers.MariaDB) {
	server.Exec(t, "CREATE USER reader IDENTIFIED BY 'reader'")
	for _, tt := range []struct {
		name, flag, sql string
		kind            contract.Kind
		says, hint      string
	}{
		{"no such table", "--done-sql", "DELETE FROM nothing WHERE id = <<.TaskID>>", contract.NoSuch, "--done-sql: the database refuses: Table 'work.nothing' doesn't exist (1146)", "correct the statement"},
		{"the second of two", "--done-sql", "DELETE FROM {} WHERE id = <<.TaskID>>; DELETE FROM nothing", contract.NoSuch, "(1146)", "correct the statement"},
		{"no such column", "--keep-sql", "UPDATE {} SET lease = now() WHERE id = <<.TaskID>>", contract.Refused, "(1054)", "correct the statement"},
		{"no SQL", "--fail-sql", "UPDATE {} SOT note = <<.Reason>> WHERE id = <<.TaskID>>", contract.Refused, "(1064)", "correct it"},
		{"a value for a name", "--take-sql", "SELECT id, body AS payload FROM <<.Job>>", contract.Refused, "(1064)", "not for a name"},
		{"a value behind a text", "--take-sql", "SELECT 1 AS id, 'a' <<.Job>> AS payload", contract.Refused, "(1064)", "not for a name"},
		{"no such function", "--done-sql", "DO nowhere_done(<<.TaskID>>)", contract.Refused, "(1305)", "correct the statement"},
		{"no id", "--take-sql", "SELECT body AS payload FROM {} LIMIT 1", contract.Malformed, "--take-sql: there is no column id, only (payload)", "SELECT of id"},
		{"no columns", "--take-sql", "UPDATE {} SET note = 'x' WHERE false", contract.Malformed, "there is no column id, only ()", "SELECT of id"},
		{"a column twice", "--take-sql", "SELECT a.id, b.id, a.body AS payload FROM {} a, {} b LIMIT 1", contract.Malformed, "there are two columns id", "AS"},
		{"only to read", "reader", "", contract.Denied, "UPDATE command denied to user 'reader'", "GRANT"},
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
						return "mysql://reader:reader@" + server.Address + "/work?ssl-mode=DISABLED" + more
					}
				} else {
					j.statements[tt.flag] = strings.ReplaceAll(tt.sql, "{}", j.table)
				}
				got, err := openJobs(t, j).Take(t.Context())
				e, ok := errors.AsType[*contract.Error](err)
				if got != nil || !ok || e.Kind != tt.kind || !strings.Contains(e.Error(), tt.says) || !strings.Contains(e.Hint, tt.hint) || strings.Contains(e.Error(), "0x") {
					t.Errorf("took %+v, %v (%+v)", got, err, e)
				}
				if diff := cmp.Diff(before, j.rows(t)); diff != "" {
					t.Errorf("something was done (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// ownRows: what a take may give.
func ownRows(t *testing.T, server *servers.MariaDB) {
	server.Exec(t, "CREATE PROCEDURE takes(IN n INT) BEGIN SELECT n AS id, 'by a procedure' AS payload; END")
	for _, tt := range []struct {
		name, sql string
		want      *task.Task
		says      string
	}{
		{"all that there is", `SELECT 7 AS attempt, '{"a": 1}' AS payload, 42 AS id, 'x' AS kind, NULL AS nothing, 1.50 AS price, 0.1e0 AS f, TIMESTAMP '2026-01-02 03:04:05' AS at, 0x00ff AS bytes, 0 AS dead`,
			&task.Task{ID: "42", Payload: []byte(`{"a": 1}`), Attempt: 7, Meta: map[string]string{"kind": "x", "price": "1.50", "f": "0.1", "at": "2026-01-02 03:04:05", "bytes": "\x00\xff", "dead": "0"}}, ""},
		{"several statements", "SELECT 1 AS id, 2 AS payload WHERE false; SET @x = 5; SELECT @x AS id, @x + 1 AS payload; SELECT 9 AS id, 9 AS payload",
			&task.Task{ID: "5", Payload: []byte("6"), Meta: map[string]string{}}, ""},
		{"a procedure", "CALL takes(<<.Index>>)", &task.Task{ID: "3", Payload: []byte("by a procedure"), Meta: map[string]string{}}, ""},
		{"with values", "SELECT <<.Index>> + 1 AS id, concat(<<.Lease>>, ' ', <<.MaxAttempts>>, ' ', <<.Retry>>) AS payload -- the end",
			&task.Task{ID: "4", Payload: []byte("60 2 0"), Meta: map[string]string{}}, ""},
		{"none", "SELECT 1 AS id, 2 AS payload WHERE false", nil, ""},
		{"several", "SELECT seq AS id, seq AS payload FROM seq_1_to_3", nil, "--take-sql: it took 3 tasks at once"},
		{"more than a variable holds", "SELECT seq INTO @id FROM seq_1_to_3; SELECT @id AS id, 1 AS payload", nil, "(1172)"},
		{"no id", "SELECT NULL AS id, 1 AS payload", &task.Task{ID: "sha256:6b86b273ff34fce1", Payload: []byte("1"), Meta: map[string]string{}}, "the task has no id"},
		{"no number", "SELECT 1 AS id, 1 AS payload, 'first' AS attempt", &task.Task{ID: "1", Payload: []byte("1"), Meta: map[string]string{}}, "the attempt isn't a number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newJobs(t, server)
			j.statements["--take-sql"] = tt.sql
			got, err := openJobs(t, j).Take(t.Context())
			if got != nil && got.Broken != nil { // it is the task's fault
				err, got.Broken = got.Broken, nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
}

// ownAnswers: what a statement about a task may say, and what that means.
func ownAnswers(t *testing.T, server *servers.MariaDB) {
	ctx := t.Context()
	server.Exec(t, `CREATE FUNCTION says(yes BOOLEAN) RETURNS BOOLEAN NO SQL RETURN yes; CREATE TABLE log (n int); CREATE TABLE one (n int); INSERT INTO one VALUES (1)`)
	for sql, ours := range map[string]bool{
		"SELECT says(true)": true, "SELECT says(false)": false, "SELECT 0.0": false, "SELECT b'0'": false, "SELECT NULL": true, "SELECT 'x'": true, "SELECT 1 WHERE false": false,
		"UPDATE one SET n = n": true, "UPDATE one SET n = 1 WHERE n = 2": false, "UPDATE one SET n = 2 WHERE n = 3; INSERT INTO log VALUES (1)": true,
		"INSERT INTO log VALUES (1); UPDATE one SET n = 2 WHERE n = 3": false, "UPDATE one SET n = 2 WHERE n = 3; SELECT ROW_COUNT()": false, "UPDATE one SET n = n; SELECT ROW_COUNT()": true,
	} {
		j := newJobs(t, server)
		j.statements = map[string]string{"--take-sql": "SELECT 1 AS id, 1 AS payload, 1 AS attempt", "--keep-sql": sql, "--done-sql": sql}
		s := j.Open(t, task.Options{RunID: "a", Lease: time.Minute})
		held := take1(t, s)
		for what, err := range map[string]error{"keep": s.Keep(ctx, held), "done": s.Done(ctx, held)} {
			if ours && err != nil || !ours && !errors.Is(err, task.ErrLost) {
				t.Errorf("%s, %s: %v", sql, what, err)
			}
		}
	}
	for sql, want := range map[string]bool{"SELECT 0": false, "SELECT 2": true, "SELECT NULL": false, "SELECT 1 WHERE false": false, "SELECT says(true)": true, "SELECT count(*) FROM log WHERE false": false} {
		j := newJobs(t, server)
		j.statements["--unfinished-sql"] = sql
		if more, err := openJobs(t, j).Unfinished(ctx); more != want || err != nil {
			t.Errorf("%s: %v, %v", sql, more, err)
		}
	}
	for sql, want := range map[string]bool{"SELECT 1 AS dead": true, "SELECT 0 AS dead": false, "UPDATE one SET n = n; SELECT 0 AS dead, 1 AS x": false} {
		j := newJobs(t, server)
		j.Fill(t, []byte("x"))
		j.statements["--fail-sql"] = sql
		s := openJobs(t, j)
		if dead, err := s.Fail(ctx, take1(t, s), task.Failure{}); dead != want || err != nil {
			t.Errorf("%s: %v, %v", sql, dead, err)
		}
	}
}

// ownHostile: whatever a value is, it is one, and comes back as it was; also where the server
// or a statement chooses another way to read quotes.
func ownHostile(t *testing.T, server *servers.MariaDB) {
	values := []string{"'; DROP TABLE jobs; -- ", `\`, `\'`, `"`, "`", ";", "\x00", "a\x00'b", "--", "/*", "*/", "#", "é日😀", "\xff\xfe'", "0x41", "%", "", "<<.Index>>", "?", "@id", "$1", strings.Repeat("'\\", 10_000)}
	for _, mode := range []string{"", "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; ", "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'; ", "SET sql_mode = ''; "} {
		u, err := url.Parse(server.URL("&queue=q"))
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range values {
			sql, err := Bind([]string{mode + "SELECT 1 AS id, ", " AS payload, '\\'' ' AS quotes"})
			if mode == "" {
				sql, err = Bind([]string{"SELECT 1 AS id, ", ` AS payload, '\'' AS quotes, ";" AS s`})
			}
			if err != nil {
				sql, err = Bind([]string{mode + "SELECT 1 AS id, ", " AS payload"})
			}
			if err != nil {
				t.Fatal(err)
			}
			one := &statements.Statement{Flag: "--take-sql", SQL: sql, Values: 1, Args: func(statements.Call) ([]string, error) { return []string{value}, nil }}
			still := &statements.Statement{Flag: "--done-sql", SQL: "SELECT 1", Args: func(statements.Call) ([]string, error) { return nil, nil }}
			s, err := OpenOwn(u, task.Options{Lease: time.Minute}, statements.Statements{Take: one, Keep: still, Done: still})
			if err != nil {
				t.Fatal(err)
			}
			if got := take1(t, s); string(got.Payload) != value {
				t.Errorf("%.40q comes back as %.40q", value, got.Payload)
			}
			s.Close()
		}
	}
	j := newJobs(t, server)
	j.Fill(t, []byte("x"))
	s := openJobs(t, j)
	if _, err := s.Fail(t.Context(), take1(t, s), task.Failure{Reason: "it's \\ \x00\xff; é"}); err != nil {
		t.Error(err)
	}
	if notes := j.payloads(t, "SELECT note FROM "+j.table); string(notes[0]) != "it's \\ \uFFFD; é" {
		t.Errorf("%q", notes)
	}
}

// ownVariables: what a variable had in the last take is not the next one's.
func ownVariables(t *testing.T, server *servers.MariaDB) {
	j := newJobs(t, server)
	j.Fill(t, []byte("x"))
	s := openJobs(t, j)
	one := take1(t, s)
	none(t, s)
	none(t, s)
	if diff := cmp.Diff([]row{{"working", 1, "a"}}, j.rows(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := s.Done(t.Context(), one); err != nil {
		t.Error(err)
	}
}

// ownDeadlock: what the server ends because two wait for each other is said again as a whole:
// of the first half nothing is left. And what is said again is no more lost than before.
func ownDeadlock(t *testing.T, server *servers.MariaDB) {
	j := newJobs(t, server)
	server.Exec(t, "CREATE TABLE locks (id int PRIMARY KEY, n int); INSERT INTO locks VALUES (1, 0), (2, 0); CREATE TABLE tries (id int AUTO_INCREMENT PRIMARY KEY)")
	// Each has its first row before either wants the other's, however slow the machine is.
	server.Exec(t, "CREATE PROCEDURE meet(mine int, other int) BEGIN DO GET_LOCK(CONCAT('row ', mine), 0); WHILE IS_USED_LOCK(CONCAT('row ', other)) IS NULL DO DO SLEEP(0.01); END WHILE; END")
	both := func(first, second int) string {
		return fmt.Sprintf("SET SESSION innodb_lock_wait_timeout = 1000; INSERT INTO tries VALUES (); UPDATE locks SET n = n + 1 WHERE id = %[1]d; CALL meet(%[1]d, %[2]d); UPDATE locks SET n = n + 1 WHERE id = %[2]d", first, second)
	}
	j.Fill(t, []byte("x"), []byte("y"))
	var both2 []func() error
	for i := range 2 {
		j.statements["--done-sql"] = both(1+i, 2-i)
		s := j.Open(t, task.Options{RunID: fmt.Sprint(i), Lease: time.Minute})
		held := take1(t, s)
		both2 = append(both2, func() error { return s.Done(t.Context(), held) })
	}
	var all sync.WaitGroup
	for _, done := range both2 {
		all.Go(func() {
			if err := done(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := server.Rows(t, "locks WHERE n = 2"); n != 2 || server.Rows(t, "tries") != 2 {
		t.Errorf("%d of 2 were changed twice, with %d tries that count", n, server.Rows(t, "tries"))
	}
	var next int
	if err := server.DB.QueryRow("SELECT max(id) FROM tries").Scan(&next); err != nil || next < 3 {
		t.Errorf("nobody was ended as a deadlock: %d, %v", next, err)
	}
}

// ownBroken: a task whose values the server refuses fails, and has its attempts.
func ownBroken(t *testing.T, server *servers.MariaDB) {
	for name, sql := range map[string]string{
		"a value that doesn't fit": "UPDATE {} SET worker = concat(<<.TaskID>>, 'x') WHERE id = <<.TaskID>>",
		"no such state":            "UPDATE {} SET status = 'nothing' WHERE id = <<.TaskID>>",
		"a rule of the table":      "UPDATE {} SET body = NULL WHERE id = <<.TaskID>>",
	} {
		j := newJobs(t, server)
		j.statements["--fail-sql"] = strings.ReplaceAll(sql, "{}", j.table)
		j.Fill(t, []byte("x"))
		s := openJobs(t, j)
		for n := 1; n <= 2; n++ {
			dead, err := s.Fail(t.Context(), take1(t, s), task.Failure{Reason: "r"})
			if err != nil || dead != (n == 2) {
				t.Errorf("%s: failure %d: dead %v, %v", name, n, dead, err)
			}
			server.Exec(t, "UPDATE "+j.table+" SET locked_until = '2000-01-01'")
		}
		none(t, s)
	}
}

// ownMany: two hundred tasks and eight takers at once: each is taken once, and nobody finds
// the queue empty that isn't.
func ownMany(t *testing.T, server *servers.MariaDB) {
	j := newJobs(t, server)
	server.Exec(t, "INSERT INTO "+j.table+" (body) SELECT json_object('text', seq) FROM seq_1_to_200")
	var mu sync.Mutex
	var got []string
	var all sync.WaitGroup
	for i := range 8 {
		s := j.Open(t, task.Options{RunID: fmt.Sprint(i), Index: int64(i), Lease: time.Minute})
		all.Go(func() {
			for range 25 {
				one, err := s.Take(t.Context())
				if one == nil || err != nil {
					t.Errorf("took %v, %v", one, err)
					return
				}
				mu.Lock()
				got = append(got, one.ID)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(got)
	if n := len(slices.Compact(got)); n != 200 {
		t.Errorf("%d tasks were taken, want 200", n)
	}
}

// TestOwnExplained: no value is shown, in digits neither.
func TestOwnExplained(t *testing.T) {
	for _, message := range []string{"near '_utf8mb4 0x63616e617279 x'", "near '_binary 0x63616e617279'"} {
		err := meaning(t.Context(), &mysql.MySQLError{Number: 1064, SQLState: [5]byte([]byte("42000")), Message: message})
		if !strings.Contains(err.Error(), "near '") || strings.Contains(err.Error(), "63616e617279") {
			t.Errorf("%q is shown as %q", message, err)
		}
	}
}

// TestOwnURL: what the URL must have.
func TestOwnURL(t *testing.T) {
	for address, ours := range map[string]bool{"mysql://u@h/d": true, "mysql://u@h/d?queue=": true, "mysql://u@h/d?table=t": true, "mysql://u@h/d?table=t&queue=q": true, "mysql://u@h/d?queue=q": false} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		open := Open
		if ours {
			open = func(u *url.URL, o task.Options) (task.Source, error) { return OpenOwn(u, o, statements.Statements{}) }
		}
		if _, err := open(u, task.Options{}); kind(err) != contract.Invalid || !strings.Contains(err.Error(), "queue") {
			t.Errorf("%s, own statements %v: %v", address, ours, err)
		}
		if name := Name(u); strings.HasSuffix(address, "d?queue=q") && name != "d/q" {
			t.Errorf("%s is called %s", address, name)
		}
	}
	u, _ := url.Parse("mysql://u@h/d?queue=q")
	if _, err := OpenOwn(u, task.Options{MaxAttempts: 1}, statements.Statements{}); kind(err) != contract.Invalid {
		t.Errorf("attempts that nobody counts: %v", err)
	}
}
