package proc_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nth/testdata/harness"
)

// A test that runs under nohup, or in a script with &, would hand on what it ignores.
func init() {
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
}

// actor is a program that misbehaves as it is told (testdata/cmd/actor).
var actor = sync.OnceValues(func() (string, error) {
	nth, err := harness.Binary()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(nth), "actor")
	build := exec.Command("go", "build", "-o", path, "./testdata/cmd/actor")
	build.Dir = harness.Root()
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", build, err, out)
	}
	return path, nil
})

func actorPath(t *testing.T) string {
	t.Helper()
	path, err := actor()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// program is one run of nth whose output goes to files: nobody who holds them
// open holds the test.
type program struct {
	t    testing.TB
	cmd  *exec.Cmd
	dir  string
	pid1 bool
	pid  int // nth's, as this process sees it
}

// prepare makes a run with words after `nth run`, plainly or as the first process
// of a namespace of its own.
func prepare(t *testing.T, pid1 bool, words ...string) *program {
	t.Helper()
	p := &program{t: t, dir: t.TempDir(), pid1: pid1}
	words = append([]string{binary(t), "run", "--log-level", "warn"}, words...)
	if pid1 {
		words = append([]string{"unshare", "-pf", "--mount-proc", "--kill-child"}, words...)
	}
	p.cmd = exec.Command(words[0], words[1:]...)
	p.cmd.Env = []string{"NTH_INDEX=0", "PATH=" + os.Getenv("PATH"), "ACTOR=" + actorPath(t),
		"AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret", "AWS_REGION=us-east-1"}
	p.cmd.Stdout, p.cmd.Stderr = p.file("stdout"), p.file("stderr")
	return p
}

func (p *program) file(name string) *os.File {
	p.t.Helper()
	f, err := os.Create(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { f.Close() })
	return f
}

func start(t *testing.T, pid1 bool, words ...string) *program {
	t.Helper()
	p := prepare(t, pid1, words...)
	p.begin()
	return p
}

func (p *program) begin() {
	p.t.Helper()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	p.pid = p.cmd.Process.Pid
	if p.pid1 {
		eventually(p.t, "nth in its namespace", func() bool {
			if children := children(p.cmd.Process.Pid); len(children) == 1 {
				p.pid = children[0]
				return true
			}
			return p.isOver()
		})
	}
}

// isOver tells whether the process has ended, which nobody has waited for.
func (p *program) isOver() bool {
	body, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	return strings.HasPrefix(fieldOf(string(body), "State:"), "Z")
}

// children lists the children of a process (proc_pid_task_children(5)).
func children(pid int) (list []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range files {
		body, _ := os.ReadFile(f)
		for _, word := range strings.Fields(string(body)) {
			n, _ := strconv.Atoi(word)
			list = append(list, n)
		}
	}
	return list
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func (p *program) read(name string) string {
	body, _ := os.ReadFile(filepath.Join(p.dir, name))
	return string(body)
}

// sees waits for a text on stdout, logs for one on stderr.
func (p *program) sees(text string) { p.t.Helper(); p.await("stdout", text) }
func (p *program) logs(text string) { p.t.Helper(); p.await("stderr", text) }

func (p *program) await(name, text string) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(p.read(name), text); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("no %q on %s:\n%s\nstderr:\n%s", text, name, p.read(name), p.read("stderr"))
		}
	}
}

func (p *program) send(sig syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(p.pid, sig); err != nil {
		p.t.Fatalf("%s: %v", sig, err)
	}
}

// ends waits for the end, and wants this exit code.
func (p *program) ends(want int) {
	p.t.Helper()
	timer := time.AfterFunc(2*patience, func() { _ = p.cmd.Process.Kill() })
	err := p.cmd.Wait()
	timer.Stop()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	got := p.cmd.ProcessState.ExitCode()
	if p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		p.t.Fatalf("nth was killed; stderr:\n%s", p.read("stderr"))
	}
	if got != want {
		p.t.Errorf("exit code %d, want %d; stdout:\n%s\nstderr:\n%s", got, want, last(p.read("stdout")), last(p.read("stderr")))
	}
}

func last(s string) string { return s[max(0, len(s)-2000):] }

// both runs a test plainly and as process 1.
func both(t *testing.T, test func(t *testing.T, pid1 bool)) {
	t.Run("plain", func(t *testing.T) { test(t, false) })
	t.Run("pid1", func(t *testing.T) { test(t, true) })
}
