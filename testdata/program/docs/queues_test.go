//go:build linux

package docs

import (
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"nth/shim/task/mysql"
	"nth/shim/task/postgres"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestQueues is a newcomer's way from no server to five tasks that are done, for each
// queue, as the page has it. They are pasted into one shell, as at a prompt: each has markers
// of its own, and leaves neither a server nor a variable.
func TestQueues(t *testing.T) {
	ways := taken(t, "queue")
	if len(ways) != 9 {
		t.Errorf("%d ways are on the page, want 9", len(ways))
	}
	t.Cleanup(func() { _ = exec.Command("redis-cli", "-p", "6399", "shutdown", "nosave").Run() })
	cleared(t, ways[0].page)
	places := map[string]bool{}
	for _, b := range ways {
		out := shell(t, b.text+"echo left: ${server-} ${AWS_REGION-} ${NTH_TAKE_SQL-}\n", "AWS_REGION=")
		if !strings.HasSuffix(out, "\nleft:\n") {
			t.Errorf("variables are left behind\n%s\n%s", b.text, out)
		}
		if n := strings.Count(out, " testdata/examples/sonnet_"); n != 5 {
			t.Errorf("%d tasks were done, want 5:\n%s\n%s", n, b.text, out)
		}
		m := markersOf.FindStringSubmatch(b.text)
		if m == nil || places[m[1]] {
			t.Fatalf("no markers of its own in\n%s", b.text)
		}
		places[m[1]] = true
		if n := program.Documents(t, m[1], "done/"); n != 5 {
			t.Errorf("%d markers, want 5:\n%s\n%s", n, b.text, out)
		}
		for _, port := range []string{"6399", "5599", "5699", "8099", "3399"} {
			harness.Await(t, func() bool {
				c, err := net.Dial("tcp", "127.0.0.1:"+port)
				if err == nil {
					c.Close()
				}
				return err != nil
			}, func() string { return "a server is left at " + port + " by\n" + b.text })
		}
	}
}

var markersOf = regexp.MustCompile(`--markers '(file:///tmp/nth-queue/\w+)\?create_dir=true'`)

// TestAgain: what was put aside is done after all, under its own ID.
func TestAgain(t *testing.T) {
	all := taken(t, "again")
	if len(all) != 3 {
		t.Fatalf("%d ways are on the page, want 3", len(all))
	}
	r, p := servers.StartRedis(t), servers.StartPostgres(t)
	pgHost, pgPort, err := net.SplitHostPort(p.Address)
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"PGHOST=" + pgHost, "PGPORT=" + pgPort, "PGUSER=" + servers.PostgresUser, "PGPASSWORD=" + servers.PostgresPassword, "PGDATABASE=postgres"}
	p.Exec(t, postgres.Schema)
	p.Exec(t, "INSERT INTO nth_tasks (payload) VALUES ('a'), ('b')")
	program.QueueOf(t, r, "list", "a", "b")
	r.Each(t, []string{"a", "b"}, "XADD", "sonnets", "*", "payload")
	for i, tasks := range []string{"redis://" + r.Address + "?queue=list", "redis://" + r.Address + "?stream=sonnets&group=g", "postgres:///?table=nth_tasks"} {
		again := strings.ReplaceAll(all[i].text, "-p 6399", "-p "+r.Address[strings.LastIndexByte(r.Address, ':')+1:])
		if i == 0 {
			again = strings.ReplaceAll(again, "{sonnets}", "{list}")
		}
		dir := t.TempDir()
		markers := "--markers=file://" + dir + "/markers"
		work := func(code int, says string) {
			t.Helper()
			_, stderr, got := program.Nth(t, append(env, "JOB_COMPLETION_INDEX=0"), "run", "--tasks="+tasks, markers, "--max-attempts=2", "--",
				"sh", "-c", "test -e "+dir+"/mended || test <<.Task>> = a")
			if got != code || !strings.Contains(stderr, says) {
				t.Errorf("%s: exit code %d, want %d: %s", tasks, got, code, stderr)
			}
		}
		told := func(want string) {
			t.Helper()
			if stdout, stderr, _ := program.Nth(t, nil, "status", markers); !strings.Contains(stdout, want) {
				t.Errorf("%s: nth status doesn't tell %q: %s%s", tasks, want, stdout, stderr)
			}
		}
		work(65, "1 put aside for failing too often")
		told("1 done, 0 skipped, 1 failed, 1 of them put aside")
		if err := os.WriteFile(dir+"/mended", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if out := shell(t, again, env...); !strings.Contains(out, "exit code 1") {
			t.Errorf("it doesn't tell why: %s", out)
		}
		work(0, "task done")
		told("2 done, 0 skipped, 0 failed")
	}
}

// TestMariaDB: an account with what the page grants it does tasks that are filled as there,
// and what was put aside is done after all.
func TestMariaDB(t *testing.T) {
	all := taken(t, "sql")
	if len(all) != 2 {
		t.Fatalf("%d blocks are of SQL, want 2", len(all))
	}
	m := servers.StartMariaDB(t)
	m.Exec(t, mysql.Schema)
	m.Exec(t, "CREATE TABLE orders (id INT, city TEXT, shipped BOOLEAN); INSERT INTO orders VALUES (1, 'Köln', FALSE), (2, 'Rom', TRUE), (3, 'Oslo', FALSE)")
	fill, dead := all[0].text, all[1].text // in the pages' order
	m.Exec(t, "CREATE USER clerk IDENTIFIED BY 'c'; "+strings.ReplaceAll(fill, " TO worker;", " TO clerk;"))
	dir := t.TempDir()
	work := func(code int, says string) {
		t.Helper()
		_, stderr, got := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, "run", "--tasks=mysql://clerk:c@"+m.Address+"/work?ssl-mode=DISABLED", "--markers=file://"+dir+"/markers?create_dir=true", "--max-attempts=1", "--",
			"sh", "-c", "test -e "+dir+"/mended || test <<.Task.city>> = Oslo")
		if got != code || !strings.Contains(stderr, says) {
			t.Errorf("exit code %d, want %d: %s", got, code, stderr)
		}
	}
	work(65, "1 put aside for failing too often")
	if err := os.WriteFile(dir+"/mended", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	look, again, _ := strings.Cut(dead, "\n")
	var id int
	var why string
	if err := m.DB.QueryRow(look).Scan(&id, &why); err != nil || id != 1 || !strings.Contains(why, "exit code 1") {
		t.Errorf("put aside: %d, %q, %v", id, why, err)
	}
	m.Exec(t, again)
	work(0, "task done")
	if n := m.Rows(t, "nth_tasks WHERE state = 'done'"); n != 2 {
		t.Errorf("%d are done, want 2", n)
	}
}

// TestTable: the file that makes the table of tasks is what nth expects.
func TestTable(t *testing.T) {
	for path, schema := range map[string]string{"testdata/examples/nth_tasks.sql": postgres.Schema, "testdata/examples/nth_tasks_mysql.sql": mysql.Schema} {
		if body := program.Page(t, path); body != schema {
			t.Errorf("%s isn't what its package has:\n%s", path, body)
		}
	}
	if page := program.Page(t, "docs/queues-mysql.md"); !strings.Contains(page, mysql.Grant+mysql.Fill) {
		t.Error("docs/queues-mysql.md isn't what package mysql has")
	}
}
