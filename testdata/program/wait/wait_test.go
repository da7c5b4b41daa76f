//go:build linux

// Package wait is about the end of a Job: who waits for it, and the one document that
// tells of it.
package wait

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// waiter is a `nth wait` under way.
type waiter struct {
	*exec.Cmd
	stdout, stderr program.Buffer
}

func start(t *testing.T, env []string, args ...string) *waiter {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	w := &waiter{Cmd: exec.Command(nth, append([]string{"wait", "--interval=50ms"}, args...)...)}
	w.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	w.Stdout, w.Stderr = &w.stdout, &w.stderr
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.Process.Kill()
		_ = w.Wait()
	})
	return w
}

// ends waits for the waiter's end, and holds what it says against what it should.
func (w *waiter) ends(t *testing.T, code int, stdout string) {
	t.Helper()
	_ = w.Wait()
	if got := w.ProcessState.ExitCode(); got != code || w.stdout.String() != stdout {
		t.Errorf("exit code %d, %q, want %d, %q: %s", got, w.stdout.String(), code, stdout, w.stderr.String())
	}
}

// run is one index of a Job.
func run(t *testing.T, env []string, index int, flags ...string) {
	t.Helper()
	args := append([]string{"run", "--index=" + strconv.Itoa(index)}, flags...)
	if _, stderr, _ := program.Nth(t, env, args...); strings.Contains(stderr, `"level":"error"`) {
		t.Logf("index %d: %s", index, stderr)
	}
}

// age makes the records of a directory an hour old: none of them is tried again.
func age(t *testing.T, dir string) {
	t.Helper()
	files, _ := filepath.Glob(dir + "/*.json")
	for _, f := range files {
		before := time.Now().Add(-time.Hour)
		if err := os.Chtimes(f, before, before); err != nil {
			t.Fatal(err)
		}
	}
}

// requests counts what is asked of a server.
type requests struct{ lists, others atomic.Int64 }

func (r *requests) count(_ int, q *http.Request) servers.Action {
	if q.URL.Query().Has("list-type") {
		r.lists.Add(1)
	} else {
		r.others.Add(1)
	}
	return nil
}

// TestWait: it begins before there is anything, not even the place for it, and ends when
// the last index is done, with what there is in one line.
func TestWait(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "bucket")
	for name, markers := range map[string]string{"file": "file://" + t.TempDir() + "/m", "s3": s3.URL("bucket", "m")} {
		t.Run(name, func(t *testing.T) {
			env := servers.S3Env()
			told := start(t, env, "--markers", markers, "--completions=4")
			finds := start(t, env, "--markers", markers)
			finds.stderr.Await(t, "; asking again")
			for index := range 4 {
				if told.ProcessState != nil || strings.Contains(told.stdout.String(), "settled") {
					t.Fatalf("it didn't wait for index %d: %s", index, told.stdout.String())
				}
				run(t, env, index, "--completions=4", "--markers", markers, "--skip-exit-codes=2", "--", "sh", "-c", "exit $(( <<.Index>> == 2 ? 2 : 0 ))")
			}
			for _, w := range []*waiter{told, finds} {
				w.ends(t, 0, "4 of 4 settled, 1 of them skipped\n")
				if first, _, _ := strings.Cut(w.stderr.String(), "\n"); !strings.HasPrefix(first, "nth: waiting for the Job at ") {
					t.Errorf("it begins with %q", first)
				}
			}
			if n := strings.Count(finds.stderr.String(), "asking again"); n > 2 { // the directory, and the number
				t.Errorf("it is said %d times: %s", n, finds.stderr.String())
			}
		})
	}
}

// TestFailed: what has failed may be tried again for a minute; then it has failed, and how
// many may is --max-failed. Where more have, the others aren't waited for.
func TestFailed(t *testing.T) {
	dir := t.TempDir()
	markers := "file://" + dir
	for index := range 5 {
		run(t, nil, index, "--completions=5", "--markers", markers, "--", "sh", "-c", "exit $(( <<.Index>> % 2 ))")
	}
	young := start(t, nil, "--markers", markers, "--completions=5", "--max-failed=2")
	young.stderr.Await(t, "2 failed")
	tooLate := start(t, nil, "--markers", markers, "--completions=5", "--timeout=5s")
	tooLate.ends(t, 124, "")
	tooLate.stderr.Await(t, "not settled after 5s: 3 of 5 settled, 2 failed: 1,3 when")
	age(t, filepath.Join(dir, "failed"))
	young.ends(t, 0, "3 of 5 settled, 2 failed: 1,3\n")
	for _, tt := range []struct {
		flags  string
		code   int
		stdout string
	}{
		{"--completions=5", 1, "3 of 5 settled, 2 failed: 1,3\n"},
		{"--completions=5 --max-failed=40%", 0, "3 of 5 settled, 2 failed: 1,3\n"},
		{"--completions=9 --max-failed=1", 1, "3 of 9 settled, 2 failed: 1,3, 4 missing: 5-8\n"}, // nobody will do the others
		{"--indexes=0,2,4", 0, "3 of 3 settled\n"},
	} {
		start(t, nil, append([]string{"--markers", markers}, strings.Fields(tt.flags)...)...).ends(t, tt.code, tt.stdout)
	}
}

// TestPolls: of a Job of many indexes is asked, as long as it isn't settled, whether one
// more is done; the listing that tells where it stands is made once, and another one at the
// end.
func TestPolls(t *testing.T) {
	const many, last = 20_000, 4321
	server := servers.StartS3(t)
	server.Bucket(t, "bucket")
	dir := server.Dir + "/bucket/m/done/" // to write them through the server would take long
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for index := range many {
		if index == last {
			continue
		}
		if err := os.WriteFile(fmt.Sprintf("%s%d.json", dir, index), []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var asked requests
	fault := servers.StartFault(t, server.Address, asked.count)
	markers := "s3://bucket/m?endpoint=" + fault.URL
	w := start(t, servers.S3Env(), "--markers", markers, "--completions="+strconv.Itoa(many), "--interval=20ms", "--store-timeout=10m", "--store-wait=10m")
	harness.Await(t, func() bool { return asked.others.Load() >= 5 }, func() string { return "it doesn't ask: " + w.stderr.String() })
	lists, others := asked.lists.Load(), asked.others.Load()
	harness.Await(t, func() bool { return asked.others.Load() >= others+10 }, func() string { return "it doesn't ask" })
	if n := asked.lists.Load(); n != lists {
		t.Errorf("%d pages are listed while one index isn't done", n-lists)
	}
	run(t, servers.S3Env(), last, "--completions="+strconv.Itoa(many), "--markers", markers, "--", "true")
	w.ends(t, 0, "20000 of 20000 settled\n")
	if n := asked.lists.Load(); n > 2*lists+10 || lists > many/1000+60 {
		t.Errorf("%d pages at first, %d in all", lists, n)
	}
	t.Logf("%d pages at first, %d in all, %d other requests", lists, asked.lists.Load(), asked.others.Load())
}

// TestAway: a store that is away is asked again for as long as --timeout lasts, and that is
// said once.
func TestAway(t *testing.T) {
	server := servers.StartS3(t)
	server.Bucket(t, "bucket")
	var away atomic.Bool
	fault := servers.StartFault(t, server.Address, func(int, *http.Request) servers.Action {
		if away.Load() {
			return servers.S3Error(503, "SlowDown")
		}
		return nil
	})
	markers, env := "s3://bucket/m?endpoint="+fault.URL, servers.S3Env()
	away.Store(true)
	args := []string{"--markers", markers, "--completions=1", "--store-wait=0s"}
	w := start(t, env, args...)
	w.stderr.Await(t, "; asking again")
	given := start(t, env, append(args, "--timeout=10s")...)
	given.ends(t, 69, "")
	if n := strings.Count(given.stderr.String(), "asking again"); n != 1 {
		t.Errorf("that it is away is said %d times: %s", n, given.stderr.String())
	}
	away.Store(false)
	run(t, env, 0, "--completions=1", "--markers", markers, "--", "true")
	w.ends(t, 0, "1 of 1 settled\n")
}

// TestSignalAfterReader: a stop signal that comes when the reader is gone, as a Ctrl-C that both
// get, is no second one, which ends it outright.
func TestSignalAfterReader(t *testing.T) {
	for range 20 { // it may come when all is over
		w := start(t, nil, "--markers=file://"+t.TempDir(), "--completions=1", "--interval=1h")
		w.stderr.Await(t, "waiting for")
		_ = w.Process.Signal(syscall.SIGPIPE)
		_ = w.Process.Signal(syscall.SIGTERM)
		if _ = w.Wait(); !w.ProcessState.Exited() {
			t.Fatal(w.ProcessState)
		}
	}
}

// TestSignals: they end it at once, and one that is sent twice as well as one.
func TestSignals(t *testing.T) {
	for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		w := start(t, nil, "--markers=file://"+t.TempDir(), "--completions=1", "--interval=1h")
		w.stderr.Await(t, "waiting for")
		_ = w.Process.Signal(sig)
		_ = w.Process.Signal(sig)
		w.ends(t, code, "")
		if !strings.Contains(w.stderr.String(), "stopped by SIG") {
			t.Errorf("%s: it doesn't tell why: %s", sig, w.stderr.String())
		}
	}
}

// TestRefused: what nobody can wait for.
func TestRefused(t *testing.T) {
	queue := t.TempDir()
	key := strings.Repeat("a", 64)
	if err := os.MkdirAll(filepath.Join(queue, "done/tasks/aa"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(queue, "done/tasks/aa", key+".json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		flags, says string
		code        int
	}{
		{"", "read --markers: it is not given (nth wait --markers URL)", 64},
		{"--markers=file:///tmp/m true", "nothing is run here", 64},
		{"--markers=file:///tmp/m --completions=0", "it is not positive", 64},
		{"--markers=file:///tmp/m --interval=0s", "it is not positive", 64},
		{"--markers=file:///tmp/m --timeout=-1s", "it is negative", 64},
		{"--markers=file:///tmp/m --max-failed=some", "give a number of indexes", 64},
		{"--markers=file://" + queue, "only its workers know", 78},
	} {
		w := start(t, nil, strings.Fields(tt.flags)...)
		w.ends(t, tt.code, "")
		if !strings.Contains(w.stderr.String(), tt.says) {
			t.Errorf("%s: %s", tt.flags, w.stderr.String())
		}
	}
}
