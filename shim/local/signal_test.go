package local

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
)

// startWhole starts a whole nth local of two sleeping children and waits until both run.
func startWhole(t *testing.T, start func(*exec.Cmd) error, behaviour string) (cmd *exec.Cmd, temp, dir string, pids []int) {
	t.Helper()
	dir, temp = t.TempDir(), t.TempDir()
	cmd = exec.Command(os.Args[0], "whole", "9", "2", behaviour, dir)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp, "TERM=xterm", seenVariable+"="+dir)
	if err := start(cmd); err != nil {
		t.Fatal(err)
	}
	for _, i := range []string{"0", "1"} {
		pids = append(pids, waitPid(t, filepath.Join(dir, i)))
	}
	return cmd, temp, dir, pids
}

func waitGone(t *testing.T, pids []int) {
	t.Helper()
	deadline := time.Now().Add(harness.Patience)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is still there", pid)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// alive tells whether the process runs; one that nobody has reaped yet doesn't.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestStopSignals(t *testing.T) {
	tests := []struct {
		name, behaviour string
		signals         []syscall.Signal
		want            int
		says            string
	}{
		{"SIGTERM once", "sleep", []syscall.Signal{syscall.SIGTERM}, 143, "stopped by SIGTERM"},
		{"SIGINT once", "sleep", []syscall.Signal{syscall.SIGINT}, 130, "stopped by SIGINT"},
		{"a second one kills", "stubborn", []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, 130, "stopped by SIGINT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var errs bytes.Buffer
			cmd, temp, seen, pids := startWhole(t, func(c *exec.Cmd) error { c.Stderr = &errs; return c.Start() }, tt.behaviour)
			send(t, cmd, seen, tt.signals...)
			_ = cmd.Wait()
			if d := cmp.Diff(tt.want, cmd.ProcessState.ExitCode()); d != "" {
				t.Error(d, errs.String())
			}
			for _, want := range []string{"0 of 9 succeeded, 9 not finished", tt.says} {
				if !strings.Contains(errs.String(), want) {
					t.Errorf("no %q in %s", want, errs.String())
				}
			}
			waitGone(t, pids)
			checkEmpty(t, temp)
		})
	}
}

// TestStopsFirst: of a signal that stops and the end of what it has stopped, the signal comes first.
func TestStopsFirst(t *testing.T) {
	for range 64 { // of two that are ready Go takes any
		stdout, stderr, read := files(t)
		signals := make(chan os.Signal, 1)
		signals <- syscall.SIGTERM
		j := newJob(&Options{Completions: 1, Parallelism: 1, BackoffLimit: -1, Signals: signals, Stdout: stdout, Stderr: stderr, Disturber: undisturbed{}, Inside: &Inside{}, clock: clock{time.Now, time.After}})
		c := &child{}
		c.signal = func(os.Signal) error { return nil }
		j.running[c], j.next, j.ended = true, 1, make(chan outcome, 1)
		j.ended <- outcome{of: c, code: 143}
		if err := j.loop(t.Context()); err != nil {
			t.Fatal(err)
		}
		j.close()
		if _, errs := read(); j.failed != 0 || j.stopped.Signal != syscall.SIGTERM {
			t.Fatalf("%d failed, stopped by %s: %s", j.failed, j.stopped.Signal, errs)
		}
	}
}

// TestStopsAfterReader: a reader who is gone is no first signal: the one that comes with it, as of
// a Ctrl-C that both get, stops, and only the one after that kills.
func TestStopsAfterReader(t *testing.T) {
	stdout, stderr, _ := files(t)
	now := time.Now()
	j := newJob(&Options{Completions: 1, Parallelism: 1, Stdout: stdout, Stderr: stderr, Disturber: undisturbed{}, Inside: &Inside{}, clock: clock{func() time.Time { return now }, time.After}})
	defer j.close()
	for _, tt := range []struct {
		do     func()
		by     syscall.Signal
		killed bool
	}{
		{func() { j.stopUnwritten(syscall.EPIPE) }, syscall.SIGPIPE, false},
		{func() { j.stopBy(syscall.SIGINT) }, syscall.SIGINT, false},
		{func() { j.stopUnwritten(syscall.EPIPE) }, syscall.SIGINT, false},
		{func() { j.stopBy(syscall.SIGINT) }, syscall.SIGINT, false}, // doubled
		{func() { j.stopBy(syscall.SIGTERM) }, syscall.SIGINT, true},
	} {
		tt.do()
		killed := false
		select {
		case <-j.killed:
			killed = true
		default:
		}
		if j.stopped.Signal != tt.by || killed != tt.killed || !j.stopping {
			t.Errorf("stopped by %s, killed: %v, want %s, %v", j.stopped.Signal, killed, tt.by, tt.killed)
		}
	}
}

func TestChildrenDieWithLocal(t *testing.T) {
	cmd, _, _, pids := startWhole(t, (*exec.Cmd).Start, "stubborn")
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	waitGone(t, pids)
}

// TestStuckReader stops a run whose output nobody reads.
func TestStuckReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(os.Args[0], "whole", "9", "2", "chatty")
	seen := t.TempDir()
	cmd.Stdout, cmd.Env = w, append(os.Environ(), "TMPDIR="+t.TempDir(), seenVariable+"="+seen)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	send(t, cmd, seen, syscall.SIGINT, syscall.SIGTERM)
	_ = cmd.Wait()
	if d := cmp.Diff(130, cmd.ProcessState.ExitCode()); d != "" {
		t.Error(d)
	}
}

// TestClosedReader is nth local | head.
func TestClosedReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	cmd := exec.Command(os.Args[0], "whole", "1000", "2", "chatty")
	cmd.Stdout, cmd.Env = w, append(os.Environ(), "TMPDIR="+temp)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	_, _ = io.ReadFull(r, make([]byte, 1000))
	r.Close()
	_ = cmd.Wait()
	if d := cmp.Diff(141, cmd.ProcessState.ExitCode()); d != "" {
		t.Error(d)
	}
	checkEmpty(t, temp)
}

// onTerminal runs cmd at a pty of 60 columns and gives all that it shows.
func onTerminal(t *testing.T, keys chan string, start func(func(*exec.Cmd) error) *exec.Cmd) (string, int) {
	t.Helper()
	var terminal *os.File
	shown := make(chan string)
	cmd := start(func(c *exec.Cmd) (err error) {
		if terminal, err = pty.StartWithSize(c, &pty.Winsize{Rows: 10, Cols: 60}); err != nil {
			return err
		}
		go func() {
			b, _ := io.ReadAll(terminal) // ends with EIO
			shown <- string(b)
		}()
		return nil
	})
	defer terminal.Close()
	for k := range keys {
		_, _ = terminal.WriteString(k)
	}
	_ = cmd.Wait()
	return <-shown, cmd.ProcessState.ExitCode()
}

func TestCtrlC(t *testing.T) {
	keys := make(chan string, 1)
	keys <- "\x03"
	close(keys)
	var temp string
	var pids []int
	shown, code := onTerminal(t, keys, func(start func(*exec.Cmd) error) (cmd *exec.Cmd) {
		cmd, temp, _, pids = startWhole(t, start, "sleep")
		return cmd
	})
	if d := cmp.Diff(130, code); d != "" {
		t.Error(d, shown)
	}
	for _, want := range []string{"0/9", "\r\x1b[Knth local: 0 of 9 succeeded, 9 not finished"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in %q", want, shown)
		}
	}
	waitGone(t, pids)
	checkEmpty(t, temp)
}

func TestBarStaysBelowTheLines(t *testing.T) {
	keys := make(chan string)
	close(keys)
	shown, code := onTerminal(t, keys, func(start func(*exec.Cmd) error) *exec.Cmd {
		cmd := exec.Command(os.Args[0], "whole", "40", "2", "hello")
		cmd.Env = append(os.Environ(), "TERM=xterm", "TMPDIR="+t.TempDir())
		if err := start(cmd); err != nil {
			t.Fatal(err)
		}
		return cmd
	})
	if code != 0 {
		t.Error(code)
	}
	if !strings.Contains(shown, "/40") {
		t.Errorf("no bar in %q", shown)
	}
	// What a person sees in the end: everything erased is gone.
	rows := 0
	for l := range strings.Lines(strings.ReplaceAll(shown, "\r\n", "\n")) {
		if i := strings.LastIndex(l, "\x1b[K"); i >= 0 {
			l = l[i+len("\x1b[K"):]
		}
		if strings.HasPrefix(l, "[") && !strings.Contains(l, "] out") && !strings.Contains(l, "] err") || strings.Contains(l, "/40") {
			t.Errorf("the bar is left in %q", l)
		}
		rows++
	}
	if want := 2*40 + 1; rows != want {
		t.Errorf("%d lines, want %d:\n%s", rows, want, shown)
	}
}
