//go:build !windows

package proc

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// pause is nth's own suspension, under the lock of Signals.
type pause struct {
	own     bool          // the next SIGTSTP is the one that nth sent to its group
	heard   chan struct{} // and that came
	stopped bool          // nth has stopped itself, as its command did
	resumed chan struct{} // and was continued
}

// ownPatience is how long nth waits for its own SIGTSTP, which another's SIGCONT may
// have taken back.
const ownPatience = time.Second

// Suspensions brings the signal of a Ctrl-Z, unless nth was started to ignore it. Who has it calls
// Suspend.
func Suspensions() chan os.Signal {
	c := make(chan os.Signal, 1)
	if !ignored(syscall.SIGTSTP) {
		signal.Notify(c, syscall.SIGTSTP)
	}
	return c
}

// Suspend makes all stand still and then stops nth, and wakes all when nth was continued; nothing
// happens where nobody could do that.
func Suspend(still func() (wake func())) {
	if !resumable(os.Getpid() == 1) {
		return
	}
	wake := still()
	stopHere()
	wake()
}

// suspend is Suspend for commands alone; the lock is held, and none starts.
func suspend(commands interface{ control(syscall.Signal) }) {
	Suspend(func() (wake func()) {
		commands.control(syscall.SIGTSTP)
		return func() { commands.control(syscall.SIGCONT) }
	})
}

// control sends the commands that there are, and what they have left behind, a signal of job
// control, and their groups, as a terminal and a shell do; the lock is held.
func (s *Signals) control(sig syscall.Signal) {
	if phase := s.set.phase; phase == running || phase == swept {
		s.set.send(sig, true)
	}
}

// suspend stops nth, and returns when it was continued. The rest of its group, a
// script that waits for it, gets what it would have had from the terminal.
func (s *Signals) suspend() {
	s.mu.Lock()
	select {
	case <-s.pause.heard: // of an earlier one, too late
	default:
	}
	s.pause.own = true
	s.mu.Unlock()
	_ = syscall.Kill(0, syscall.SIGTSTP)
	select {
	case <-s.pause.heard:
	case <-time.After(ownPatience):
	}
	s.mu.Lock()
	s.pause.own, s.pause.stopped = false, true
	s.mu.Unlock()
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	<-s.pause.resumed
}

// takes tells whether a signal was about the suspension, and does what it means.
func (p *pause) takes(sig syscall.Signal) bool {
	switch {
	case p.own && sig == syscall.SIGTSTP:
		p.own = false
		poke(p.heard)
	case p.stopped && sig == syscall.SIGCONT:
		// The terminal comes first; then the command is continued.
		p.stopped = false
		poke(p.resumed)
	case p.stopped && sig == syscall.SIGTSTP:
		// A Ctrl-Z so soon after SIGCONT that the kernel took that one back (signal(7)).
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	default:
		return false
	}
	return true
}
