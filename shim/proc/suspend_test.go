package proc_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// handedOver waits until the terminal is the command's: a shell ignores a Ctrl-Z.
func (s *shell) handedOver() {
	s.t.Helper()
	eventually(s.t, "the command in the foreground", func() bool {
		group, err := unix.IoctlGetInt(int(s.tty.Fd()), unix.TIOCGPGRP)
		parent, _ := os.ReadFile(fmt.Sprintf("/proc/%s/comm", fieldOf(status(group), "PPid:")))
		return err == nil && string(parent) == "nth\n"
	})
}

func status(pid int) string {
	body, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return string(body)
}

// TestSuspendAtOnceAfterContinue: a Ctrl-Z takes back, in the kernel, a SIGCONT that nth
// hasn't yet handled (signal(7)). It has to stop again then.
func TestSuspendAtOnceAfterContinue(t *testing.T) {
	s := newShell(t)
	s.types("nth run -- perl -e '$| = 1; print \"sta\", \"rted\\n\"; sleep 600'\n")
	s.sees("started")
	s.handedOver()
	group, err := unix.IoctlGetInt(int(s.tty.Fd()), unix.TIOCGPGRP)
	if err != nil {
		t.Fatal(err)
	}
	nth, err := strconv.Atoi(fieldOf(status(group), "PPid:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(nth, syscall.SIGKILL) })
	stopped := func() bool { return strings.HasPrefix(fieldOf(status(nth), "State:"), "T") }
	for range 50 {
		// Where the kernel does not, nth resumes the command, which takes back one that nth
		// has passed on.
		eventually(t, "nth is stopped", func() bool {
			if stopped() {
				return true
			}
			_ = syscall.Kill(nth, syscall.SIGTSTP)
			return false
		})
		_ = syscall.Kill(nth, syscall.SIGCONT)
		_ = syscall.Kill(nth, syscall.SIGTSTP)
	}
}

func TestSuspendAndForeground(t *testing.T) {
	s := newShell(t)
	s.types("nth run -- sh -c 'echo sta''rted; read line; echo got $line; exit 7'\n")
	s.sees("started")
	for range 3 {
		s.handedOver()
		s.types("\x1a")
		s.sees("Stopped")
		s.types("fg\n")
		s.sees("fg\r\nnth run")
	}
	s.types("words\n")
	s.sees("got words")
	s.exitCode(7)
}

func TestSuspendAndBackground(t *testing.T) {
	s := newShell(t)
	dir := t.TempDir()
	// In perl: a shell that has just made a child by vfork(2) can't be stopped when that is.
	s.types(`nth run -- perl -e '$| = 1; print "sta", "rted\n"; select undef, undef, undef, 0.05 until -e "` + dir + `/go"; exit 7'` + "\n")
	s.sees("started")
	s.handedOver()
	s.types("\x1a")
	s.sees("Stopped")
	s.types("bg; touch " + dir + "/go; wait %1; echo code=$?.\n")
	s.sees("code=7.")
	// The terminal is still the shell's.
	s.types("echo still''here\n")
	s.sees("stillhere")
}

func TestScriptAroundIsSuspendedToo(t *testing.T) {
	s := newShell(t)
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nnth run -- cat\necho script $?\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.types(script + "\n")
	s.types("one\n")
	s.sees("one") // the terminal's echo
	s.sees("one") // and cat's
	s.types("\x1a")
	s.sees("Stopped")
	s.types("fg\n")
	s.sees("fg\r\n" + script)
	s.types("two\n")
	s.sees("two")
	s.sees("two")
	s.types("\x04")
	s.sees("script 0")
}

// family is a command of two processes, which tell their numbers, and end when they are told to.
const family = `use strict; my $parent = fork // die; my $dir = $ENV{D}; open my $f, ">>", "$dir/pids"; syswrite $f, "$$\n";
$SIG{TERM} = sub { open my $e, ">", "$dir/ended"; exit }; select undef, undef, undef, 0.02 until -e "$dir/go"; waitpid $parent, 0 if $parent`

// families are two such commands that run at the same time under a shell's nth.
type families struct {
	*shell
	dir string
}

func startFamilies(t *testing.T, before, words string) families {
	t.Helper()
	dir, setup, run := familiesOf(t, words)
	f := families{newShell(t), dir}
	f.types(setup + before + "\n")
	f.types(run + "\n")
	f.are("")
	return f
}

// familiesOf gives what a shell is to do for them, and where they tell of themselves.
func familiesOf(t *testing.T, words string) (dir, setup, run string) {
	t.Helper()
	dir = t.TempDir()
	program := filepath.Join(dir, "family")
	if err := os.WriteFile(program, []byte(family), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir, "unset NTH_INDEX; export D=" + dir + "; ", "nth " + words + " perl " + program
}

// are waits until all four processes are in a state: T is stopped, S sleeps. One that has ended
// isn't waited for.
func (f families) are(state string) {
	f.t.Helper()
	eventually(f.t, "all are "+state, func() bool {
		body, _ := os.ReadFile(filepath.Join(f.dir, "pids"))
		pids := strings.Fields(string(body))
		for _, word := range pids {
			pid, _ := strconv.Atoi(word)
			is := fieldOf(status(pid), "State:")
			if is == "" || is[0] == 'Z' {
				f.t.Fatalf("%d has ended", pid)
			}
			if !strings.HasPrefix(is, state) {
				return false
			}
		}
		return len(pids) == 4
	})
}

// end lets the commands end.
func (f families) end() {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, "go"), nil, 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// suspendable are those of which the terminal is nobody's: what runs several commands at the same
// time.
var suspendable = map[string]string{
	"local":           "local --completions=3 --parallelism=2 --",
	"local, isolated": "local --isolated --completions=3 --parallelism=2 --",
	"local, each":     "local --completions=1 --each --items=3 --jobs=2 --",
	"each":            "run --index=0 --completions=1 --each --items=3 --jobs=2 --",
}

// stands types a Ctrl-Z, and waits until all stand still. Who doesn't, ends.
func (f families) stands() {
	f.t.Helper()
	f.types("\x1a")
	f.sees("Stopped")
	f.end()
	f.are("T")
	if err := os.Remove(filepath.Join(f.dir, "go")); err != nil {
		f.t.Fatal(err)
	}
}

// TestSuspendMany: a Ctrl-Z comes to nth alone, and all its commands stand still, with what they
// have started, until nth goes on.
func TestSuspendMany(t *testing.T) {
	for name, words := range suspendable {
		t.Run(name, func(t *testing.T) {
			f := startFamilies(t, "", words)
			for range 2 {
				f.stands()
				f.types("fg\n")
				f.are("S")
			}
			f.stands()
			f.types("bg\n")
			f.are("S")
			f.end()
			f.types("wait %1\n")
			f.exitCode(0)
		})
	}
}

// TestStopSuspended: a stop signal that comes meanwhile is answered when nth goes on.
func TestStopSuspended(t *testing.T) {
	for name, words := range suspendable {
		t.Run(name, func(t *testing.T) {
			f := startFamilies(t, "", words)
			f.stands()
			for _, nth := range childrenOf(f.pid) {
				if err := syscall.Kill(nth, syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
			f.types("fg\n")
			f.exitCode(143)
			if _, err := os.Stat(filepath.Join(f.dir, "ended")); err != nil {
				t.Error("no command was told to end")
			}
		})
	}
}

// TestSuspendUnwanted: what was started to ignore a Ctrl-Z isn't suspended by it, nor is what is
// under such a one.
func TestSuspendUnwanted(t *testing.T) {
	for name, words := range suspendable {
		t.Run(name, func(t *testing.T) {
			f := startFamilies(t, "trap '' TSTP", words)
			f.types("\x1a")
			f.sees("^Z")
			f.end()
			f.exitCode(0)
		})
	}
}

// TestSuspendForGood: where nobody could resume nth, nothing stands still.
func TestSuspendForGood(t *testing.T) {
	for name, words := range suspendable {
		t.Run(name, func(t *testing.T) {
			f := families{dir: t.TempDir(), shell: &shell{t: t}}
			cmd := exec.Command(binary(t), append(strings.Fields(words), "perl", "-e", family)...)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "D=" + f.dir}
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			f.are("")
			_ = cmd.Process.Signal(syscall.SIGTSTP)
			f.end()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSuspendBetween: an nth run that has no command is suspended too.
func TestSuspendBetween(t *testing.T) {
	s := newShell(t)
	s.types("nth run --log-level=warn --store-wait=1h --markers=file://" + t.TempDir() + "/none/m -- true\n")
	s.sees("trying again")
	s.types("\x1a")
	s.sees("Stopped")
	s.types("fg\n")
	s.sees("fg\r\nnth run")
	s.types("\x03")
	s.exitCode(130)
}

// TestSuspendOther: nor does any other command of nth keep a Ctrl-Z for itself.
func TestSuspendOther(t *testing.T) {
	s := newShell(t)
	s.types("nth wait --completions=2 --markers=file://" + t.TempDir() + "\n")
	s.sees("waiting for the Job")
	for _, pid := range childrenOf(s.pid) {
		if catches(status(pid), syscall.SIGTSTP) {
			t.Fatal("it has a Ctrl-Z for itself")
		}
	}
	s.types("\x1a")
	s.sees("Stopped")
	s.types("fg\n")
	s.sees("fg\r\nnth wait")
	s.types("\x03")
	s.exitCode(130)
}

// TestSuspendWithoutJobControl: a shell that leads its session and has no job control, such as of
// docker run -it IMAGE sh -c '…', couldn't resume anything: a Ctrl-Z has no effect.
func TestSuspendWithoutJobControl(t *testing.T) {
	for name, words := range suspendable {
		t.Run(name, func(t *testing.T) {
			dir, setup, run := familiesOf(t, words)
			f := families{newSession(t, "sh", "-c", setup+run+"; echo code=$?."), dir}
			f.are("")
			f.types("\x1a")
			f.sees("^Z")
			f.end()
			f.sees("code=0.")
		})
	}
}

// TestStopOfOneThatWantsTheTerminal: a command that was stopped because the terminal isn't its own
// ends by the first stop signal.
func TestStopOfOneThatWantsTheTerminal(t *testing.T) {
	const script = `sh -c 'echo $$ >pid; read line </dev/tty'`
	for name, words := range map[string]string{
		"local": "local --completions=1 --", "each": "run --index=0 --completions=1 --each --items=1 --jobs=2 --",
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newShell(t), t.TempDir()
			s.types("unset NTH_INDEX; cd " + dir + "; nth " + words + " " + script + "\n")
			eventually(t, "it is stopped", func() bool {
				body, _ := os.ReadFile(filepath.Join(dir, "pid"))
				pid, err := strconv.Atoi(strings.TrimSpace(string(body)))
				return err == nil && strings.HasPrefix(fieldOf(status(pid), "State:"), "T")
			})
			s.types("\x03")
			s.exitCode(130)
		})
	}
}
