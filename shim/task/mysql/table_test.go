package mysql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
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

// kind gives an error's kind, -1 for none.
func kind(err error) contract.Kind {
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e.Kind
	}
	return -1
}

// refusals: each error is of the kind that says whether to try again, and none has a
// password in it.
func refusals(t *testing.T, server *servers.MariaDB) {
	q := newQueue(t, server)
	server.Exec(t, `CREATE USER reader IDENTIFIED BY 'reader-canary'; CREATE USER nobody IDENTIFIED BY 'nobody-canary'; CREATE USER locked IDENTIFIED BY 'locked-canary' ACCOUNT LOCK;
		GRANT SELECT ON work.`+q.table+` TO reader; CREATE TABLE narrow (id int, payload text, state text);
		CREATE TABLE keyless LIKE `+q.table+`; ALTER TABLE keyless DROP KEY nth_due`)
	as := func(user string) string {
		return "mysql://" + user + ":" + user + "-canary@" + server.Address + "/work?table=" + q.table
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	go func() {
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n"))
			c.Close()
		}
	}()
	for name, row := range map[string]struct {
		address string
		kind    contract.Kind
		words   string
	}{
		"wrong password":       {"mysql://worker:wrong-canary@" + server.Address + "/work", contract.Denied, "Access denied for user 'worker'"},
		"no such user":         {"mysql://other:wrong-canary@" + server.Address + "/work", contract.Denied, "Access denied"},
		"a locked account":     {as("locked"), contract.Denied, "ccount is locked"},
		"no grant":             {as("nobody"), contract.Denied, "Access denied"},
		"no grant to write":    {as("reader"), contract.Denied, "command denied to user 'reader'"},
		"no such table":        {server.URL("&table=nowhere"), contract.NoSuch, "doesn't exist"},
		"no such schema":       {server.URL("&table=nowhere.nth_tasks"), contract.NoSuch, "nowhere"},
		"no such database":     {strings.Replace(server.URL(""), "/work?", "/nowhere?", 1), contract.NoSuch, "Unknown database"},
		"no such column":       {server.URL("&table=narrow"), contract.Refused, "nth_due"},
		"no such key":          {server.URL("&table=keyless"), contract.Refused, "nth_due"},
		"nobody listens":       {"mysql://worker:canary@127.0.0.1:1/work", contract.Unreachable, "connection refused"},
		"no such host":         {"mysql://worker:canary@nowhere.invalid/work", contract.Unreachable, "nowhere.invalid"},
		"no such socket":       {"mysql://worker:canary@/work?socket=/nowhere/s", contract.Unreachable, "/nowhere/s"},
		"another's server":     {"mysql://worker:canary@" + silent.Addr().String() + "/work", contract.Unreachable, ""},
		"unknown parameter":    {server.URL("&tabel=canary"), contract.Invalid, "unknown parameter tabel"},
		"mode":                 {"mysql://worker:canary@h/d?ssl-mode=canary", contract.Invalid, "ssl-mode"},
		"authorities unasked":  {"mysql://worker:canary@h/d?ssl-mode=REQUIRED&ssl-ca=canary", contract.Invalid, "ssl-ca"},
		"half a certificate":   {"mysql://worker:canary@h/d?ssl-cert=canary", contract.Invalid, "ssl-key"},
		"no user":              {"mysql://h/d", contract.Invalid, "no user"},
		"no database":          {"mysql://worker:canary@h", contract.Invalid, "no database"},
		"malformed parameters": {"mysql://worker:canary@h/d?table=%zz;canary", contract.Invalid, "malformed"},
		"empty table":          {server.URL("&table="), contract.Invalid, "the parameter table"},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(row.address)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Open(u, task.Options{RunID: "a", Lease: time.Minute})
			if err == nil {
				defer s.Close()
				if text := fmt.Sprint(s); strings.Contains(text, "canary") {
					t.Errorf("the source shows itself as %s", text)
				}
				_, err = s.Take(t.Context())
			}
			e, ok := errors.AsType[*contract.Error](err)
			if !ok || e.Kind != row.kind || !strings.Contains(e.Error(), row.words) {
				t.Fatalf("%v, %+v", err, e)
			}
			if strings.Contains(e.Hint, e.Cause.Error()) {
				t.Errorf("the hint says the cause again: %s", e.Hint)
			}
			for _, text := range []string{e.Error(), e.Hint, fmt.Sprintf("%+v", e.Cause)} {
				if strings.Contains(text, "canary") || strings.Contains(text, "\n") {
					t.Errorf("it shows %q", text)
				}
			}
		})
	}
}

// TestSenses: what servers say that aren't here.
func TestSenses(t *testing.T) {
	for name, row := range map[string]struct {
		is   mysql.MySQLError
		kind contract.Kind
		hint string
	}{
		"MySQL 5.7":            {mysql.MySQLError{Number: 1064, SQLState: [5]byte([]byte("42000")), Message: "You have an error in your SQL syntax near 'SKIP LOCKED' at line 1"}, contract.Unsupported, hintOld},
		"binlog_format":        {mysql.MySQLError{Number: 1665, SQLState: [5]byte([]byte("HY000"))}, contract.Unsupported, hintBinlog},
		"in recovery":          {mysql.MySQLError{Number: 1836, SQLState: [5]byte([]byte("HY000"))}, contract.Unreachable, hintReplica},
		"a read-only session":  {mysql.MySQLError{Number: 1792, SQLState: [5]byte([]byte("25006"))}, contract.Unreachable, hintReplica},
		"too many connections": {mysql.MySQLError{Number: 1203, SQLState: [5]byte([]byte("42000"))}, contract.Unreachable, ""},
		"a wait too long":      {mysql.MySQLError{Number: 1205, SQLState: [5]byte([]byte("HY000"))}, contract.Unreachable, ""},
		"no SQLSTATE":          {mysql.MySQLError{Number: 1040}, contract.Unreachable, ""},
	} {
		err := meaning(t.Context(), &row.is)
		if e, ok := errors.AsType[*contract.Error](err); !ok || e.Kind != row.kind || e.Hint != row.hint {
			t.Errorf("%s: %+v", name, err)
		}
	}
	e, ok := errors.AsType[*contract.Error](meaning(t.Context(), mysql.ErrNoTLS))
	if !ok || e.Hint != hintNoTLS || strings.Contains(e.Hint, e.Cause.Error()) {
		t.Errorf("no TLS: %+v", e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e, ok := errors.AsType[*contract.Error](meaning(ctx, ctx.Err())); !ok || !strings.Contains(e.Hint, hintServer) {
		t.Errorf("no answer: %+v", e)
	}
}

// TestUnanswered: what a server says of a connection that it closes is no answer.
func TestUnanswered(t *testing.T) {
	for n, want := range map[uint16]bool{1927: true, 4031: true, 1053: true, 1213: false, 1064: false} {
		if got := unanswered(&mysql.MySQLError{Number: n}); got != want {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
}

// trusted: who the server is, is asked as ssl-mode says.
func trusted(t *testing.T, server *servers.MariaDB) {
	q := newQueue(t, server)
	_, port, _ := net.SplitHostPort(server.Address)
	for name, row := range map[string]struct {
		host, parameters, file string
		hint                   string // of an error
	}{
		"default":                  {"127.0.0.1", "", "", ""},
		"required":                 {"127.0.0.1", "ssl-mode=REQUIRED", "", ""},
		"identity":                 {"localhost", "ssl-mode=VERIFY_IDENTITY&ssl-ca=" + server.CA, "", ""},
		"identity, small letters":  {"localhost", "ssl-mode=verify_identity&ssl-ca=" + server.CA, "", ""},
		"identity, SSL_CERT_FILE":  {"localhost", "ssl-mode=VERIFY_IDENTITY", server.CA, ""},
		"authority alone":          {"127.0.0.1", "ssl-ca=" + server.CA, "", ""},
		"unknown authority":        {"localhost", "ssl-mode=VERIFY_IDENTITY", "", hintRoots},
		"unknown authority, no ID": {"localhost", "ssl-mode=VERIFY_CA", "", hintRoots},
		"another name":             {"127.0.0.2", "ssl-mode=VERIFY_IDENTITY&ssl-ca=" + server.CA, "", hintName},
	} {
		t.Run(name, func(t *testing.T) {
			os.Unsetenv("SSL_CERT_FILE")
			if row.file != "" {
				t.Setenv("SSL_CERT_FILE", row.file)
			}
			if row.host == "127.0.0.2" {
				forward(t, "127.0.0.2:"+port, server.Address)
			}
			s := open(t, "mysql://"+servers.MariaDBUser+"@"+row.host+":"+port+"/work?table="+q.table+"&"+row.parameters,
				task.Options{RunID: "a", Getenv: servers.Getenv([]string{"MYSQL_PWD=" + servers.MariaDBPassword})}).(*source)
			_, err := s.Unfinished(t.Context())
			if e, ok := errors.AsType[*contract.Error](err); ok != (row.hint != "") || ok && (e.Hint != row.hint || e.Kind != contract.Unreachable) {
				t.Fatalf("%v, %+v", err, e)
			}
			if row.hint != "" {
				return
			}
			a, err := s.ask(t.Context(), "SHOW STATUS LIKE 'Ssl_cipher'")
			if err != nil || len(statements.Content(a.Row[1])) == 0 {
				t.Errorf("TLS: %s, %v", a.Row, err)
			}
		})
	}
}

// forward lets a server be reached at another address, until the test ends.
func forward(t *testing.T, from, to string) {
	t.Helper()
	l, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go pipe(c, to)
		}
	}()
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
