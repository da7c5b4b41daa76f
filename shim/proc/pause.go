//go:build !windows

package proc

import (
	"os"
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
