//go:build linux

package worker

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

func TestTasks(t *testing.T) {
	r := servers.StartRedis(t)
	long := strings.Repeat("long ", 30_000)
	for _, tt := range []struct {
		name     string
		payloads []string
		flags    []string
		command  []string
		code     int
		out      string
		left     [2]int64 // waiting, dead
		done     int      // markers
		says     string
	}{
		{"each once", []string{"a", "b", "c"}, nil, []string{"echo", "<<.Task>>"}, 0, "a\nb\nc\n", [2]int64{0, 0}, 3, "no task is left"},
		{"nothing", nil, nil, []string{"echo", "<<.Task>>"}, 0, "", [2]int64{0, 0}, 0, "no task was found in redis://" + r.Address + "/0?queue=nothing"},
		{"parts of it", []string{`{"id": 7, "name": "a b"}`}, nil, []string{"echo", "<<.Task.id>>", "<<.Task.name>>"}, 0, "7 a b\n", [2]int64{0, 0}, 1, ""},
		{"a variable", []string{"$(x) 'y'"}, nil, []string{"sh", "-c", `echo "$NTH_ITEM_TASK"`}, 0, "$(x) 'y'\n", [2]int64{0, 0}, 1, ""},
		{"stdin", []string{"a\x00b"}, []string{"--task-stdin"}, []string{"sh", "-c", "od -An -c | tr -d ' '"}, 0, "a\\0b\n", [2]int64{0, 0}, 1, ""},
		{"a descriptor", []string{long}, nil, []string{"sh", "-c", `wc -c <"$NTH_ITEM_TASK_FILE"`}, 0, "150000\n", [2]int64{0, 0}, 1, ""},
		{"some of them", []string{"a", "b", "c"}, []string{"--max-tasks=2"}, []string{"echo", "<<.Task>>"}, 0, "a\nb\n", [2]int64{1, 0}, 2, "--max-tasks"},
		{"its own name", []string{`{"id":1,"n":"a"}`, `{"id":2,"n":"b"}`}, []string{"--task-id=<<.Task.id>>"}, []string{"echo", "<<.Task.n>>"}, 0, "a\nb\n", [2]int64{0, 0}, 2, `"task":"2"`},
		{"the same name twice", []string{`{"id":1}`, `{"id":1}`}, []string{"--task-id=<<.Task.id>>"}, []string{"echo", "ran"}, 0, "ran\n", [2]int64{0, 0}, 1, `task \"1\" is done already`},
		{"the same name for another", []string{`{"id":1,"n":"a"}`, `{"id":1,"n":"b"}`}, []string{"--task-id=<<.Task.id>>", "--max-attempts=1"}, []string{"echo", "<<.Task.n>>"}, 65, "a\n", [2]int64{0, 1}, 1, "put aside"},
		{"no name", []string{`{"id":""}`}, []string{"--task-id=<<.Task.id>>", "--max-attempts=1"}, []string{"echo", "ran"}, 65, "", [2]int64{0, 1}, 0, "an empty name"},
		{"one fails for ever", []string{"bad", "good"}, []string{"--max-attempts=2"}, []string{"sh", "-c", `echo "<<.Task>>"; test "<<.Task>>" = good`}, 65, "bad\ngood\nbad\n", [2]int64{0, 1}, 1, "1 put aside for failing too often"},
		{"not of the form", []string{"[1]", `{"x":2}`}, []string{"--max-attempts=1"}, []string{"echo", "<<.Task.x>>"}, 65, "2\n", [2]int64{0, 1}, 1, "no JSON object"},
		{"stop at the first failure", []string{"bad", "good"}, []string{"--on-failure=stop"}, []string{"sh", "-c", "exit 9"}, 9, "", [2]int64{2, 0}, 0, "exit code 9"},
		{"an input is missing", []string{"a"}, []string{"--require=/no/<<.Task>>", "--max-attempts=1"}, []string{"echo", "ran"}, 65, "", [2]int64{0, 1}, 0, "is mapped to an input that isn't there"},
		{"skipped", []string{"a"}, []string{"--skip-exit-codes=9"}, []string{"sh", "-c", "exit 9"}, 0, "", [2]int64{0, 0}, 1, "is recorded as skipped"},
		{"no such command", []string{"a"}, nil, []string{"no-such-command"}, 127, "", [2]int64{1, 0}, 0, "task given back"},
		{"a field that nobody has", []string{"a"}, nil, []string{"echo", "<<.Completions>>"}, 78, "", [2]int64{1, 0}, 0, "task given back"},
		{"not for plan", nil, []string{"--format=text"}, nil, 64, "", [2]int64{0, 0}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			name := strings.ReplaceAll(tt.name, " ", "-")
			queue, markers := program.QueueOf(t, r, name, tt.payloads...), "file://"+t.TempDir()+"/markers"
			args := append([]string{"run", "--tasks", queue, "--markers", markers}, tt.flags...)
			if tt.command == nil {
				args = []string{"plan", "--completions=1", "--tasks", queue, "--", "echo", "x"}
			}
			stdout, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, append(append(args, "--"), tt.command...)...)
			if code != tt.code || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit code %d, want %d and %q: %s", code, tt.code, tt.says, stderr)
			}
			if diff := cmp.Diff(tt.out, stdout); diff != "" {
				t.Errorf("stdout (-want +got):\n%s", diff)
			}
			waiting, dead := program.Left(t, r, name)
			if diff := cmp.Diff(tt.left, [2]int64{waiting, dead}); diff != "" {
				t.Errorf("waiting, dead (-want +got):\n%s", diff)
			}
			if n := program.Documents(t, markers, "done/tasks/"); n != tt.done {
				t.Errorf("%d markers, want %d", n, tt.done)
			}
		})
	}
}

// TestTaskFlags: what has no meaning is refused before the queue is asked.
func TestTaskFlags(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--tasks=nothing://x"}, 64, `no queue for the scheme \"nothing\"`},
		{[]string{"--tasks=redis://user:canary@h:1/x?queue=q"}, 78, ""},
		{[]string{"--tasks=redis://user:canary@127.0.0.1:1/0?queue=q", "--store-wait=0s"}, 69, "take a task from redis://127.0.0.1:1/0?queue=q: "},
		{[]string{"--tasks=redis://%zz:canary@h"}, 64, "malformed"},
		{[]string{"--tasks=redis://canary@h"}, 64, "a list or a stream"},
		{[]string{"--tasks=redis://canary@h?queue=q&stream=s"}, 64, "a list or a stream"},
		{[]string{"--tasks=redis://canary@h?stream=s"}, 78, "names no group"},
		{[]string{"--tasks=redis://:canary@a:1,b:2/0?queue=q&sentinel=m"}, 78, "write redis+sentinel://"},
		{[]string{"--tasks=sentinel://:canary@a:1/0;sentinel://:canary@b:2/0"}, 78, "write redis+sentinel://"},
		{[]string{"--tasks=redis+sentinel://:canary@a:1,b:2?queue=q"}, 78, "name the master"},
		{[]string{"--tasks=redis+sentinel://:canary@127.0.0.1:1,127.0.0.1:2/m?queue=q", "--store-wait=0s"}, 69, "the sentinel 127.0.0.1:1: connect: connection refused"},
		{[]string{"--tasks=redis://h?queue=q", "--done-url=http://canary/{id}"}, 78, "of an HTTP API"},
		{[]string{"--tasks=sqs://h/1/q?region=x", "--http-header=X=canary"}, 78, "of an HTTP API"},
		{[]string{"--task-stdin"}, 78, "give --tasks"},
		{[]string{"--max-tasks=1"}, 78, "give --tasks"},
		{[]string{"--on-failure=stop"}, 78, "give --tasks"},
		{[]string{"--tasks=redis://h?queue=q", "--lease=10ms"}, 64, "--lease"},
		{[]string{"--tasks=redis://h?queue=q", "--max-attempts=-1"}, 64, "--max-attempts"},
		{[]string{"--tasks=redis://h?queue=<<.Task>>"}, 78, "it needs --tasks"},
		{[]string{"--env=X=<<.TaskID>>"}, 78, "it needs --tasks"},
	} {
		_, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, append(append([]string{"run"}, tt.args...), "--", "echo", "ran")...)
		if code != tt.code || !strings.Contains(stderr, tt.says) || strings.Contains(stderr, "canary") {
			t.Errorf("%v: exit code %d, want %d and %q: %s", tt.args, code, tt.code, tt.says, stderr)
		}
	}
}

// TestStoppedWorker: the task of a worker that is told to stop is there for another at
// once, and nobody has failed at it.
func TestStoppedWorker(t *testing.T) {
	r := servers.StartRedis(t)
	dir := t.TempDir()
	queue := program.QueueOf(t, r, "q", "x")
	for name, command := range map[string]string{"ended by it": "touch %s; exec sleep 60", "exit 0 all the same": "trap 'exit 0' TERM; touch %s; sleep 60 & wait"} {
		began := filepath.Join(dir, "began")
		cmd, log := program.Worker(t, 0, "--tasks", queue, "--lease=1m", "--max-attempts=1", "--", "sh", "-c", fmt.Sprintf(command, began))
		program.Appears(t, began)
		os.Remove(began)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 143 || !strings.Contains(log.String(), "task given back") {
			t.Errorf("%s: exit code %d: %s", name, code, log)
		}
	}
	stdout, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=1"}, "run", "--tasks", queue, "--max-attempts=1", "--", "echo", "<<.Task>>")
	if code != 0 || stdout != "x\n" {
		t.Errorf("exit code %d, %q: %s", code, stdout, stderr)
	}
}

// TestUnrecorded: a task that was done and can't be recorded is nobody's failure: it goes
// back as it is, and the worker ends.
func TestUnrecorded(t *testing.T) {
	r := servers.StartRedis(t)
	gone := t.TempDir() + "/gone"
	if err := os.Mkdir(gone, 0o755); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, "run", "--tasks", program.QueueOf(t, r, "q", "x"), "--max-attempts=1",
		"--markers=file://"+gone+"/m", "--marker-timeout=100ms", "--", "sh", "-c", "rm -rf "+gone+" && touch "+gone)
	if waiting, dead := program.Left(t, r, "q"); code != 73 || !strings.Contains(stderr, "task given back") || waiting != 1 || dead != 0 {
		t.Errorf("exit code %d, %d waiting, %d dead: %s", code, waiting, dead, stderr)
	}
}

// TestDrainingWorker: with --drain a task may end its work; a second signal, and the
// end of the time, stop it.
func TestDrainingWorker(t *testing.T) {
	r := servers.StartRedis(t)
	for _, tt := range []struct {
		name  string
		drain string
		again bool // the signal comes twice
		work  string
		done  bool
	}{
		{"it ends its work", "--drain=1m", false, "sleep 1", true},
		{"it takes too long", "--drain=300ms", false, "exec sleep 600", false},
		{"a second signal", "--drain=10m", true, "exec sleep 600", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, name := t.TempDir(), strings.ReplaceAll(tt.name, " ", "-")
			queue := program.QueueOf(t, r, name, "x", "y")
			began := filepath.Join(dir, "began")
			cmd, log := program.Worker(t, 0, "--tasks", queue, tt.drain, "--markers=file://"+dir+"/markers", "--", "sh", "-c", "touch "+began+"; "+tt.work)
			program.Appears(t, began)
			_ = cmd.Process.Signal(syscall.SIGTERM)
			codes, want := []int{143}, 0
			if tt.again { // two that are equal might merge, and of two the kernel may pass on the lesser one first
				_ = cmd.Process.Signal(syscall.SIGINT)
				codes = []int{143, 130}
			}
			_ = cmd.Wait()
			if tt.done {
				want = 1
			}
			if untouched := r.Do(t, "LLEN", name).(int64); untouched != 1 {
				t.Errorf("%d tasks were never taken, want the other one", untouched)
			}
			waiting, dead := program.Left(t, r, name)
			if code, n := cmd.ProcessState.ExitCode(), program.Documents(t, "file://"+dir+"/markers", "done/tasks/"); !slices.Contains(codes, code) || n != want || waiting != int64(2-want) || dead != 0 {
				t.Errorf("exit code %d, %d markers, %d waiting, %d dead: %s", code, n, waiting, dead, log)
			}
		})
	}
}

// TestStoppedIdleWorker: one that waits for a task of its own ends at once too.
func TestStoppedIdleWorker(t *testing.T) {
	r := servers.StartRedis(t)
	cmd, log := program.Worker(t, 0, "--tasks", program.QueueOf(t, r, "q"), "--idle-timeout=1h", "--", "true")
	asked := func() bool {
		stats, _ := r.Do(t, "INFO", "commandstats").([]byte)
		return bytes.Contains(stats, []byte("evalsha"))
	}
	harness.Await(t, asked, func() string { return "the worker doesn't ask for a task" })
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 143 || !strings.Contains(log.String(), "settled or given back") {
		t.Errorf("exit code %d: %s", code, log)
	}
}

// TestPausedWorker: one that was frozen for longer than its lease finds out, ends its
// command, and records nothing; the task was done by another.
func TestPausedWorker(t *testing.T) {
	r := servers.StartRedis(t)
	dir := t.TempDir()
	queue, markers := program.QueueOf(t, r, "q", "x"), "--markers=file://"+dir+"/markers"
	began := filepath.Join(dir, "began")
	cmd, log := program.Worker(t, 0, "--tasks", queue, "--lease=3s", markers, "--", "sh", "-c", "touch "+began+"; exec sleep 600")
	program.Appears(t, began)
	_ = cmd.Process.Signal(syscall.SIGSTOP)
	_, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=1"}, "run", "--tasks", queue, "--lease=1m", "--idle-timeout=10m", "--max-tasks=1", markers, "--on-change=skip", "--", "true")
	if code != 0 || !strings.Contains(stderr, "task done") {
		t.Errorf("the other: exit code %d: %s", code, stderr)
	}
	_ = cmd.Process.Signal(syscall.SIGCONT)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 0 || !strings.Contains(log.String(), "lease is lost") {
		t.Errorf("exit code %d: %s", code, log)
	}
	if waiting, dead := program.Left(t, r, "q"); waiting+dead != 0 || program.Documents(t, "file://"+dir+"/markers", "done/tasks/") != 1 {
		t.Errorf("%d waiting, %d dead", waiting, dead)
	}
}
