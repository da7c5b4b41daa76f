package mysql

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/statements"
	"nth/testdata/harness"
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

// odd are settings of a server that change what SQL means. Nobody waits for a lock.
var odd = []string{"--default-time-zone=+05:00", "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT", "--innodb-lock-wait-timeout=1"}

// TestTable is about one server: what differs from PostgreSQL, from what a table may be to
// what a server refuses.
func TestTable(t *testing.T) {
	server := servers.StartMariaDB(t, odd...)
	for name, test := range map[string]func(*testing.T, *servers.MariaDB){
		"documented": documented, "ids": ids, "one row is locked": oneRow, "racing": racing, "hostile": hostile,
		"errors": refusals, "TLS": trusted, "read-only": readOnly, "silent": silent, "deadlock": deadlocked, "crash": crash,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

// documented runs the documented SQL as it is written, and works through the table as an
// account that has been granted just that.
func documented(t *testing.T, server *servers.MariaDB) {
	server.Exec(t, `CREATE DATABASE documented; USE documented; CREATE USER granted IDENTIFIED BY 'granted';
		CREATE TABLE orders (id int, city text, shipped bool); INSERT INTO orders VALUES (1, 'Köln', false), (2, 'Rome', true), (3, 'Oslo', false);
		`+Schema+Fill+strings.Replace(Grant, "worker", "granted", 1)+`USE work`)
	s := open(t, "mariadb://granted:granted@"+server.Address+"/documented", task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
	one := take1(t, s)
	if got, want := string(one.Payload), `{"id": 1, "city": "Köln"}`; got != want {
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
	if dead, err := s.Fail(t.Context(), take1(t, s), task.Failure{Reason: "it's \\ \x00\xff" + strings.Repeat("é", 50_000)}); !dead || err != nil {
		t.Error(dead, err)
	}
	var reason string
	if err := server.DB.QueryRow("SELECT error FROM documented.nth_tasks WHERE state = 'dead'").Scan(&reason); err != nil || !strings.HasPrefix(reason, "it's \\ \x00\uFFFDé") {
		t.Errorf("%.60q, %v", reason, err)
	}
}

// ids: each task is its own, however near another's ID is.
func ids(t *testing.T, server *servers.MariaDB) {
	columns := map[string][]string{
		"bigint unsigned": {"1", "9007199254740993", "18446744073709551614", "18446744073709551615"},
		"decimal(30)":     {"1", "100000000000000000000000000001"},
		"varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin":      {"A", "a", "é", "日'\\\"`"},
		"varchar(40) CHARACTER SET latin1 COLLATE latin1_general_cs": {"A", "a", "é"},
	}
	nopad := []string{"a", "a ", "007", "7"}
	if server.MySQL {
		columns["varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"] = nopad
	} else {
		columns["varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"] = nopad
		columns["uuid"] = []string{"123e4567-e89b-12d3-a456-426655440000"}
	}
	for column, want := range columns {
		t.Run(column, func(t *testing.T) {
			q := newQueue(t, server)
			server.Exec(t, "ALTER TABLE "+q.table+" MODIFY id "+column+" NOT NULL")
			for _, id := range want {
				server.Exec(t, "INSERT INTO "+q.table+" (id, payload, due) VALUES (?, ?, '2000-01-01')", id, id)
			}
			s := q.Open(t, task.Options{RunID: "a", Lease: time.Minute})
			var got []string
			for range want {
				one := take1(t, s)
				if got = append(got, one.ID); string(one.Payload) != one.ID {
					t.Errorf("%q has the payload %q", one.ID, one.Payload)
				}
				before := q.Left(t)
				if err := s.Done(t.Context(), one); err != nil || q.Left(t) != before-1 {
					t.Errorf("done %q: %v, %d of %d are left", one.ID, err, q.Left(t), before)
				}
			}
			seen := map[string]bool{}
			for _, id := range got {
				seen[id] = true
			}
			for _, id := range want {
				if !seen[id] {
					t.Errorf("took %q, want %q", got, want)
				}
			}
		})
	}
}

// oneRow: a take locks one row and no gap, so that another one isn't told that there are
// none, and a task may be added.
func oneRow(t *testing.T, server *servers.MariaDB) {
	q := newQueue(t, server)
	q.Fill(t, []byte("a"), []byte("b"), []byte("c"))
	o := task.Options{RunID: "a", Lease: time.Minute}
	inTake, s := q.Open(t, o).(*source), q.Open(t, o)
	find, _, _ := strings.Cut(inTake.fill(take), "\nUPDATE ")
	if _, err := inTake.ask(t.Context(), find+"SELECT 1"); err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "INSERT INTO "+q.table+" (payload, due) VALUES ('first', '2000-01-01')")
	for range 3 {
		take1(t, s)
	}
	if got, err := s.Take(t.Context()); got != nil || err != nil {
		t.Errorf("took %+v, %v, which is another's", got, err)
	}
}

// racing: none is done twice, and nobody waits for another.
func racing(t *testing.T, server *servers.MariaDB) {
	const count, workers = 400, 8
	q := newQueue(t, server)
	server.Exec(t, "INSERT INTO "+q.table+" (payload) SELECT concat('task ', seq) FROM seq_1_to_400")
	var mu sync.Mutex
	times := map[string]int{}
	var group sync.WaitGroup
	for i := range int64(workers) {
		s := q.Open(t, task.Options{RunID: fmt.Sprint("run-", i), Index: i, Lease: time.Minute, MaxAttempts: 9})
		group.Go(func() {
			for n := 0; ; n++ {
				got, err := s.Take(t.Context())
				if err != nil {
					t.Error(err)
				}
				if got == nil {
					return
				}
				if n%5 == 0 { // it comes back
					if _, err := s.Fail(t.Context(), got, task.Failure{Reason: "r"}); err != nil {
						t.Error(err)
					}
					continue
				}
				mu.Lock()
				times[string(got.Payload)]++
				mu.Unlock()
				if err := errors.Join(s.Keep(t.Context(), got), s.Done(t.Context(), got)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for task, n := range times {
		if n != 1 {
			t.Errorf("%s was done %d times", task, n)
		}
	}
	if len(times) != count || q.Left(t) != 0 {
		t.Errorf("%d were done, %d are left", len(times), q.Left(t))
	}
}

// hostile: no text is SQL, whatever the server's settings make of quotes.
func hostile(t *testing.T, server *servers.MariaDB) {
	q := newQueue(t, server)
	server.Exec(t, "ALTER TABLE "+q.table+" MODIFY id varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL")
	for _, evil := range []string{`' OR 1=1 -- `, `\' OR 1=1 -- `, `" OR 1=1 #`, "{table}", "@nth_id", "0x31", "é\\", "/*! */"} {
		server.Exec(t, "INSERT INTO "+q.table+" (id, payload) VALUES (?, ?), ('other', 'other')", evil, evil)
		s := q.Open(t, task.Options{RunID: evil, Lease: time.Minute, MaxAttempts: 5})
		for range 2 {
			one := take1(t, s)
			if one.ID != string(one.Payload) {
				t.Errorf("%q has the payload %q", one.ID, one.Payload)
			}
			if err := s.Keep(t.Context(), one); err != nil {
				t.Error(err)
			}
			if one.ID == "other" {
				continue
			}
			if _, err := s.Fail(t.Context(), one, task.Failure{Reason: evil, After: time.Hour}); err != nil {
				t.Error(err)
			}
			if n := server.Rows(t, q.table+" WHERE error IS NOT NULL"); n != 1 {
				t.Errorf("%q has failed, and %d have", evil, n)
			}
		}
		server.Exec(t, "DELETE FROM "+q.table)
	}
}

// readOnly: a server that takes no writes is as one that is away.
func readOnly(t *testing.T, server *servers.MariaDB) {
	q := newQueue(t, server)
	q.Fill(t, []byte("x"))
	server.Exec(t, `CREATE USER plainly IDENTIFIED BY 'plainly'; GRANT ALL ON work.* TO plainly; SET GLOBAL read_only = 1`)
	defer server.Exec(t, "SET GLOBAL read_only = 0")
	s := open(t, "mysql://plainly:plainly@"+server.Address+"/work?table="+q.table, task.Options{RunID: "a", Lease: time.Minute})
	_, err := s.Take(t.Context())
	if e, ok := errors.AsType[*contract.Error](err); !ok || e.Kind != contract.Unreachable || e.Hint != hintReplica {
		t.Errorf("%v, %+v", err, e)
	}
	server.Exec(t, "SET GLOBAL read_only = 0")
	take1(t, s)
}

// silent: a connection that the server has closed for being silent is opened again, and
// what was to be said is said once.
func silent(t *testing.T, server *servers.MariaDB) {
	q := newQueue(t, server)
	q.Fill(t, []byte("x"))
	s := q.Open(t, task.Options{RunID: "a", Lease: time.Minute}).(*source)
	one := take1(t, s)
	for _, step := range []struct {
		name string
		say  func(context.Context, *task.Task) error
	}{{"keep", s.Keep}, {"release", s.Release}} { // after which it is nobody's
		a, err := s.ask(t.Context(), "SELECT CONNECTION_ID()")
		if err != nil {
			t.Fatal(err)
		}
		server.Exec(t, "KILL CONNECTION "+string(statements.Content(a.Row[0])))
		if err := step.say(t.Context(), one); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
	}
	if n := server.Rows(t, q.table+" WHERE state = 'ready' AND attempt = 0"); n != 1 {
		t.Errorf("%d are ready", n)
	}
}

// deadlocked: what the server ends because two wait for each other is said again.
func deadlocked(t *testing.T, server *servers.MariaDB) {
	q := newQueue(t, server)
	server.Exec(t, "INSERT INTO "+q.table+" (payload) SELECT 'x' FROM seq_1_to_100")
	other, err := server.DB.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback()
	change := func(which string) {
		if _, err := other.Exec("UPDATE " + q.table + " SET error = 'other' WHERE id " + which); err != nil {
			t.Error(err)
		}
	}
	change(">= 2") // so much that it isn't the one that is ended
	ended := make(chan error, 1)
	s := q.Open(t, task.Options{RunID: "a", Lease: time.Minute}).(*source)
	go func() {
		_, err := s.ask(t.Context(), s.fill("SET SESSION innodb_lock_wait_timeout = 1000; START TRANSACTION; UPDATE {table} SET error = 'ours' WHERE id = 1; UPDATE {table} SET error = 'ours' WHERE id = 2; SELECT 1; COMMIT"))
		ended <- err
	}()
	// Not innodb_trx, which isn't made anew for who asks more often than every tenth of a second.
	harness.Await(t, func() bool {
		return server.Rows(t, "information_schema.innodb_metrics WHERE name = 'lock_row_lock_current_waits' AND count = 1") == 1
	},
		func() string { return "nobody waits" })
	change("= 1")
	if err := other.Commit(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := server.Rows(t, q.table+" WHERE error = 'ours'"); n != 2 {
		t.Errorf("%d rows are ours", n)
	}
}

// crash: a server that is killed and comes back in the middle of a task has it still.
func crash(t *testing.T, server *servers.MariaDB) {
	q := newQueue(t, server)
	q.Fill(t, []byte("x"))
	s := q.Open(t, task.Options{RunID: "a", Lease: time.Minute})
	one := take1(t, s)
	server.Exec(t, "FLUSH LOGS; SET GLOBAL innodb_flush_log_at_trx_commit = 1")
	if err := s.Keep(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if err := s.Keep(t.Context(), one); kind(err) != contract.Unreachable {
		t.Errorf("away: %v", err)
	}
	server.Restart(t)
	if err := errors.Join(s.Keep(t.Context(), one), s.Done(t.Context(), one), s.Done(t.Context(), one)); err != nil {
		t.Error(err)
	}
	if n := server.Rows(t, q.table+" WHERE state = 'done' AND attempt = 1"); n != 1 {
		t.Error("it isn't done")
	}
}

// TestName: the same table has the same name, wherever its server is.
func TestName(t *testing.T) {
	got := map[string]string{}
	want := map[string]string{
		"mysql://a:secret@one/db?table=t":        "db/t",
		"mariadb://two:6432/db?table=t":          "db/t",
		"mysql://b@/db?socket=/s":                "db/nth_tasks",
		"mysql://four/db?table=s.t&ssl-mode=bad": "db/s.t",
	}
	for address := range want {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got[address] = Name(u)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
