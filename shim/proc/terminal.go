package proc

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is the controlling terminal, where nth is in its foreground: then the
// command's group is put there, and all that is typed goes to it alone.
type terminal struct {
	fd      int
	own     int // nth's process group
	watcher *watcher
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, getTermios)
	return err == nil
}

// openTerminal gives the terminal that nth has in the foreground, else one
// without a file: nothing is taken from a shell that runs nth with &.
func openTerminal() *terminal {
	t := &terminal{fd: -1, own: unix.Getpgrp()}
	for fd := range 3 {
		if group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil && group == t.own {
			t.fd = fd
			break
		}
	}
	return t
}

func (t *terminal) taken() bool { return t.fd >= 0 }

// take puts the command in the foreground, and a watcher beside it: a Ctrl-C is
// a stop signal that nth itself doesn't get.
func (t *terminal) take(pid int, s *Signals) {
	if !t.taken() {
		return
	}
	t.foreground(pid)
	t.watcher = startWatcher(pid, s)
}

// foreground sets the terminal's group. That there is no terminal any more is no
// reason to fail.
func (t *terminal) foreground(group int) {
	withoutTTOU(func() { _ = unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, group) })
}

// stopped answers a stop of the command. Under a shell with job control nth stops
// too, so that the shell takes over, and goes on with the command at SIGCONT.
// Process 1 and a session's leader have nobody who could resume them.
func (t *terminal) stopped(s *Signals, by syscall.Signal) {
	if t.taken() && by != syscall.SIGTSTP && by != syscall.SIGSTOP {
		// It touched the terminal before that was its own.
		if group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP); err == nil && group == s.pid {
			_ = syscall.Kill(-s.pid, syscall.SIGCONT)
			return
		}
	}
	if leader, err := unix.Getsid(0); s.pid1 || err == nil && leader == os.Getpid() {
		if by != syscall.SIGSTOP { // whoever sent that one can send SIGCONT
			_ = syscall.Kill(-s.pid, syscall.SIGCONT)
		}
		return
	}
	if t.taken() {
		t.foreground(t.own)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	// Here nth was continued.
	t.resume(s)
}

func (t *terminal) resume(s *Signals) {
	for fd := range 3 { // it may have been started with & and be in the foreground now
		if group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil && group == t.own {
			had := t.taken()
			t.fd = fd
			t.foreground(s.pid)
			if !had {
				t.watcher = startWatcher(s.pid, s)
			}
			break
		}
	}
	_ = syscall.Kill(-s.pid, syscall.SIGCONT)
}

// finish asks the watcher for what was typed at the very end, and gives the
// terminal back.
func (t *terminal) finish(r *runner) {
	if !t.taken() {
		return
	}
	t.watcher.finish()
	for deadline := time.Now().Add(time.Second); t.watcher != nil && time.Now().Before(deadline) && !t.watcher.reaped; {
		r.reap()
		time.Sleep(time.Millisecond)
	}
	t.foreground(t.own)
}

// is tells whether a process that was reaped is the watcher.
func (t *terminal) is(pid int) bool {
	if t.watcher == nil || t.watcher.pid != pid {
		return false
	}
	t.watcher.reaped = true
	return true
}
