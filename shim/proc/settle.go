//go:build !windows

package proc

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"time"
)

// Settle is how long after a command's end a stop signal still counts as one that may
// have ended it. A batch system signals every process of a job, one after the other: the
// command may have answered with exit code 0 before nth's own signal is there. It is also
// for a typed signal that another thread has taken from the kernel and not yet handed on.
const Settle = 20 * time.Millisecond

// slack is how much later nth may come to see it, on a machine that is busy, where it isn't
// known when the kernel had it.
const slack = 200 * time.Millisecond

// unmarked is how long is waited for a mark; errUnmarked says that it didn't come.
const unmarked = 10 * time.Second

var errUnmarked = errors.New("no signal comes through")

// together is in what steps commands that run at the same time wait for that.
const together = 5 * time.Millisecond

// Settled tells whether the verdict about a command that ended then is final, and which
// stop signal may have ended the command; 0: none did. One that came after may have, unless
// nth has looked in between (Look): how much later it came to handle it says nothing on a
// machine that is busy. As process 1 nth is the one that a platform signals.
func (s *Signals) Settled(ended time.Time) (final bool, by syscall.Signal) {
	if s.part != nil {
		return s.part.of.s.Settled(ended)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.pid1 || s.stop.looked.Sub(ended) > Settle:
		return true, 0
	case s.stop.first.Signal == 0 || s.stop.first.At.Before(ended):
		return s.stop.first.Signal != 0, 0
	}
	return true, s.stop.first.Signal
}

// Look handles what signals the kernel has for nth. Without a stop signal among them the verdict
// is final about all commands that ended so long before that one would be there.
func (s *Signals) Look() {
	if s.part != nil {
		s = s.part.of.s
	}
	if s.pid1 {
		return
	}
	began := time.Now()
	if s.catching.Do(s.catchUp) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop.first.Signal == 0 {
		s.stop.looked = began
	}
}

// AwaitSettled waits until the verdict about a command that ended then is final. All that
// the kernel has for nth by then counts, however late nth comes to see it; and what came
// before, of a command that hasn't been told of it.
func (s *Signals) AwaitSettled(ended time.Time) (by syscall.Signal) {
	switch {
	case s.pid1:
		return 0
	case s.part != nil:
		return s.part.of.s.AwaitSettled(ended)
	}
	settled := ended.Add(Settle)
	if p := s.parts; p != nil { // many end in this time: one look is for several
		settled = p.began.Add(settled.Sub(p.began).Truncate(together) + together)
	}
	wait := time.Until(settled)
	time.Sleep(wait)
	if time.Since(settled) > Settle { // nth was stopped, or starved: what came meanwhile may still be on its way
		time.Sleep(Settle)
	}
	s.Look()
	s.mu.Lock()
	defer s.mu.Unlock()
	after := s.stop.first.At.Sub(ended)
	if s.stop.first.Signal != 0 && (after >= 0 || s.tells) && (wait > 0 || after <= Settle+slack) {
		return s.stop.first.Signal
	}
	return 0
}

// marks is how many are sent, one after the other. Linux delivers this one before what else is
// pending (kernel/signal.c, SYNCHRONOUS_MASK), and has delivered that when the second one is handled.
const marks = 2

// catchUp returns when the signals have been handled that the kernel had for nth.
func (s *Signals) catchUp() error {
	select {
	case <-s.wake.caughtUp:
	default:
	}
	for range marks {
		_ = syscall.Kill(os.Getpid(), mark)
		select {
		case <-s.wake.caughtUp:
		case <-time.After(unmarked):
			return errUnmarked
		}
	}
	return nil
}

func (s *Signals) isStopSignal(sig syscall.Signal) bool { return slices.Contains(s.cfg.Stop, sig) }

// late gives the stop signal that nth got soon after the command's end, and that may have
// ended it, with whatever exit code. (That it caught none when it ended says nothing:
// Perl and Python give their handlers up before they exit.)
func (r *runner) late() syscall.Signal {
	if r.cmd.Drain > 0 { // which would have held it back
		return 0
	}
	if e := r.ending.status; e.Signaled() && !r.s.isStopSignal(e.Signal()) {
		return 0
	}
	return r.s.AwaitSettled(r.ending.at)
}
