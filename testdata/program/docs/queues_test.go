//go:build linux

package docs

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"nth/shim/task/postgres"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestQueues is a newcomer's way from no server to five tasks that are done, for each
// queue, as the page has it.
func TestQueues(t *testing.T) {
	const dir = "/tmp/nth-queue"
	ways := taken(t, "queue")
	if len(ways) != 6 {
		t.Errorf("%d ways are on the page, want 6", len(ways))
	}
	for _, b := range ways {
		t.Cleanup(func() { _ = exec.Command("redis-cli", "-p", "6399", "shutdown", "nosave").Run() })
		cleared(t, b.page)
		out := shell(t, b.text)
		if n := strings.Count(out, " testdata/examples/sonnet_"); n != 5 {
			t.Errorf("%d tasks were done, want 5:\n%s\n%s", n, b.text, out)
		}
		if n := program.Documents(t, "file://"+dir+"/markers", "done/"); n != 5 {
			t.Errorf("%d markers, want 5:\n%s\n%s", n, b.text, out)
		}
	}
}

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

// TestTable: the file that makes the table of tasks is what nth expects.
func TestTable(t *testing.T) {
	if body := program.Page(t, "testdata/examples/nth_tasks.sql"); body != postgres.Schema {
		t.Errorf("testdata/examples/nth_tasks.sql isn't postgres.Schema:\n%s", body)
	}
}
