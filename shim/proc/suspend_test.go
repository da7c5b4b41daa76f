package proc_test

import (
	"fmt"
	"os"
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
