package proc_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"nth/testdata/harness"
)

// patience bounds every wait of these tests; nothing is asserted about time.
const patience = harness.Patience

func TestMain(m *testing.M) {
	if hosts() {
		return
	}
	nth, err := harness.Binary()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(filepath.Dir(nth))
	os.Exit(code)
}

func binary(t *testing.T) string {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	return nth
}

// shell is an interactive bash with job control on a terminal of its own.
type shell struct {
	t    *testing.T
	pid  int
	tty  *os.File
	mu   sync.Mutex
	seen string // what came and was not expected yet
	all  string
}

func newShell(t *testing.T) *shell { return newSession(t, "bash", "--norc", "--noediting", "-i") }

// newSession begins one whose leader is this program.
func newSession(t *testing.T, words ...string) *shell {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = []string{"PATH=" + filepath.Dir(binary(t)) + ":" + os.Getenv("PATH"), "PS1=> ", "NTH_INDEX=5", "NTH_LOG_LEVEL=error", "TERM=dumb"}
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	s := &shell{t: t, pid: cmd.Process.Pid, tty: tty}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		tty.Close()
	})
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := tty.Read(buf)
			s.mu.Lock()
			s.seen, s.all = s.seen+string(buf[:n]), s.all+string(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return s
}

// types writes what a person would; \x03 is Ctrl-C, \x1a Ctrl-Z, \x04 Ctrl-D.
func (s *shell) types(text string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// sees waits for a text, and takes away all that came up to it.
func (s *shell) sees(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		_, rest, ok := strings.Cut(s.seen, text)
		if ok {
			s.seen = rest
		}
		all := s.all
		s.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no %q on the terminal:\n%s", text, all)
		}
	}
}

// asks types a line whose answer differs from its echo.
func (s *shell) exitCode(want int) {
	s.t.Helper()
	s.types("echo code=$?.\n")
	s.sees(fmt.Sprintf("code=%d.", want))
}

// TestBackground: under & the terminal isn't taken, and a command that reads from
// it is stopped, as any other would be.
func TestBackground(t *testing.T) {
	s := newShell(t)
	s.types("nth run -- sh -c 'read line; echo got $line; exit 7' &\n")
	s.types("echo still''here\n")
	s.sees("stillhere")
	for {
		s.types("jobs; echo e''nd\n")
		s.mu.Lock()
		stopped := strings.Contains(s.all, "Stopped")
		s.mu.Unlock()
		s.sees("end")
		if stopped {
			break
		}
	}
	s.types("fg\n")
	s.sees("fg\r\nnth run")
	s.types("words\n")
	s.sees("got words")
	s.exitCode(7)
}

func TestInterrupt(t *testing.T) {
	markers := t.TempDir()
	for _, tt := range []struct {
		name, script string
		keys         string
		code         int
	}{
		// The last of them tells: a shell's child that isn't yet what it will be loses a signal.
		{"it dies", `perl -e '$| = 1; print "sta", "rted\n"; sleep 600'; true`, "\x03", 130},
		{"it catches it and exits 0", `trap "exit 0" INT; echo sta''rted; while :; do sleep 0.05; done`, "\x03", 130},
		{"it catches it and fails", `trap "exit 4" INT; echo sta''rted; while :; do sleep 0.05; done`, "\x03", 4},
		{"quit", `trap "exit 0" QUIT; echo sta''rted; while :; do sleep 0.05; done`, "\x1c", 131},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShell(t)
			script := filepath.Join(t.TempDir(), "work")
			if err := os.WriteFile(script, []byte(tt.script), 0o755); err != nil {
				t.Fatal(err)
			}
			s.types("ulimit -c 0; nth run --markers file://" + markers + " -- sh " + script + "\n")
			s.sees("started")
			waitForWatcher(t, s.pid)
			s.handedOver() // until then it would be nth's own, which passes it on to the shell alone
			s.types(tt.keys)
			s.sees("> ")
			s.exitCode(tt.code)
			if _, err := os.Stat(filepath.Join(markers, "done", "5.json")); err == nil {
				t.Error("there is a marker")
			}
		})
	}
}

// waitForWatcher waits until the process that notices Ctrl-C is there, somewhere
// below another: it takes longer to start than the command, and a person is slower
// than both.
func waitForWatcher(t *testing.T, below int) {
	t.Helper()
	for deadline := time.Now().Add(patience); !hasWatcher(below); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no watcher")
		}
	}
}

func hasWatcher(below int) bool {
	for _, pid := range childrenOf(below) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if strings.HasPrefix(string(line), "nth-terminal-watcher") && catches(string(status), syscall.SIGQUIT) || hasWatcher(pid) {
			return true
		}
	}
	return false
}

// childrenOf gives the processes that a process has started (proc(5)).
func childrenOf(pid int) (list []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range tasks {
		body, _ := os.ReadFile(path)
		for f := range strings.FieldsSeq(string(body)) {
			if n, err := strconv.Atoi(f); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

// catches tells whether a process has a handler (SigCgt, proc(5)).
func catches(status string, sig syscall.Signal) bool {
	_, rest, _ := strings.Cut(status, "SigCgt:\t")
	var mask uint64
	_, err := fmt.Sscanf(rest, "%x", &mask)
	return err == nil && mask&(1<<(sig-1)) != 0
}
