//go:build !windows

package proc

import (
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is the controlling terminal, where nth is in its foreground: then the
// command's group is put there, and all that is typed goes to it alone.
type terminal struct {
	s       *Signals
	fd      int      // negative: there is none
	own     int      // nth's process group
	command int      // and the command's, once it has started
	watcher *watcher // once the terminal was taken; nil too where none can be started
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, getTermios)
	return err == nil
}

// openTerminal gives the terminal that nth has in the foreground, else one
// without a file: nothing is taken from a shell that runs nth with &.
func openTerminal(s *Signals) *terminal {
	if s.part != nil { // it is nobody's of those that run at the same time
		return &terminal{s: s, fd: -1, own: -1}
	}
	own := unix.Getpgrp()
	return &terminal{s: s, fd: foregroundOf(own), own: own}
}

// foregroundOf gives the descriptor of a terminal that has the group in its foreground;
// -1: none has.
func foregroundOf(group int) int {
	for fd := range 3 {
		if is, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil && is == group {
			return fd
		}
	}
	return -1
}

func (t *terminal) taken() bool { return t.fd >= 0 }

// take puts the command in the foreground, and before that a watcher in its
// group: a Ctrl-C is a stop signal that nth itself doesn't get from then on.
func (t *terminal) take(command int) {
	t.command = command
	if !t.taken() {
		return
	}
	if t.watcher == nil {
		t.watcher = startWatcher(command, t.s)
	}
	t.foreground(command)
}

// foreground sets the terminal's group. That there is no terminal any more is no
// reason to fail.
func (t *terminal) foreground(group int) {
	// A background group that sets the terminal's would be stopped by SIGTTOU.
	without(func() { _ = unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, group) }, syscall.SIGTTOU)
}

// has tells whether the terminal is the group's.
func (t *terminal) has(group int) bool {
	is, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	return t.taken() && err == nil && is == group
}

// giveBack gives the terminal back, unless a shell has taken it since (bg).
func (t *terminal) giveBack() {
	if t.has(t.command) {
		t.foreground(t.own)
	}
}

// reclaim takes the terminal for the command when a shell has given it to nth,
// as fg does; nth may have been started with &.
func (t *terminal) reclaim() {
	if now := foregroundOf(t.own); now >= 0 {
		t.fd = now
		t.take(t.command)
	}
}

// answerStop answers a stop of the command. Under a shell with job control nth stops
// too, so that the shell takes over, and goes on with the command at SIGCONT.
func (t *terminal) answerStop(by syscall.Signal) {
	resume := func() { _ = syscall.Kill(-t.command, syscall.SIGCONT) }
	if by == syscall.SIGTTIN || by == syscall.SIGTTOU {
		t.reclaim()
		if t.has(t.command) { // it touched the terminal before that was its own
			resume()
			return
		}
	}
	if !resumable(t.s.pid1) {
		if by != syscall.SIGSTOP { // whoever sent that one can send SIGCONT
			resume()
		}
		return
	}
	t.giveBack()
	t.s.suspend()
	t.reclaim()
	resume()
}

// resumable tells whether a shell with job control is there to resume nth, were it
// stopped. Process 1 has none, nor has one in the group of its session's leader, such as what a
// shell without job control runs there (the kernel calls such a group orphaned, setpgid(2)), nor
// one whose parent is in another session, or whose session has no terminal.
func resumable(pid1 bool) bool {
	own, err := unix.Getsid(0)
	if err != nil || pid1 || own == unix.Getpgrp() { // both are 0 where the leader is in another namespace
		return false
	}
	if parent, err := unix.Getsid(os.Getppid()); err != nil || parent != own {
		return false
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	tty.Close()
	return true
}

// finish asks the watcher for what was typed at the very end, and gives the
// terminal back.
func (t *terminal) finish(reap func() (int, bool)) {
	if !t.taken() {
		return
	}
	t.watcher.finish()
	for deadline := time.Now().Add(time.Second); t.watcher != nil && time.Now().Before(deadline) && !t.watcher.reaped; {
		reap()
		time.Sleep(time.Millisecond)
	}
	t.giveBack()
}

// is tells whether a process that was reaped is the watcher. One that a typed
// signal ended had not yet begun to catch it: HUP and INT kill a Go program then,
// QUIT makes it exit with 2 (os/signal, "Default behavior of signals").
func (t *terminal) is(pid int, status syscall.WaitStatus) bool {
	if t.watcher == nil || t.watcher.pid != pid {
		return false
	}
	t.watcher.reaped = true
	switch {
	case status.Signaled() && slices.Contains(typed, os.Signal(status.Signal())):
		t.s.typed(status.Signal())
	case status.Exited() && status.ExitStatus() == 2:
		t.s.typed(syscall.SIGQUIT)
	}
	return true
}
