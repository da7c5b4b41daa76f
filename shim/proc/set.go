//go:build !windows

package proc

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"nth/shim/failure"
)

// phase is how far a set is, or a process of it.
type phase int

const (
	before  phase = iota // there is no command yet; of a process: none
	running              // there is
	swept                // it has ended, and what it left behind is being ended
	over                 // of a set: nothing is left, signals are only noted
)

// set is the commands that a run has at the same time: one, or a shard several.
type set struct {
	phase      phase
	list       []*process
	open       bool             // the end of those that there are isn't the end of the set
	background bool             // the terminal isn't theirs: a Ctrl-Z comes to nth
	hurry      bool             // what is left is killed at once
	kept       []syscall.Signal // for the first of them
}

// process is a command, and its ending when it has ended.
type process struct {
	phase   phase
	place   int   // in the list
	number  int64 // of all commands
	pid     int   // and its group
	left    []int // what it has left behind, as targets of kill(2), at the last look
	started time.Time
	ending  ending
}

// ending is how a process ended.
type ending struct {
	at     time.Time
	status syscall.WaitStatus
	usage  syscall.Rusage
	stop   syscall.Signal // the first stop signal while it ran
}

// isOver tells whether all have ended, though nobody has taken note of it.
func (c *set) isOver() bool {
	return !c.open && !slices.ContainsFunc(c.list, func(p *process) bool { return p.phase == running && !isOver(p.pid) })
}

// keep keeps a signal until there is a command.
func (c *set) keep(sig syscall.Signal) {
	if !slices.Contains(c.kept, sig) {
		c.kept = append(c.kept, sig)
	}
}

// send sends a signal to all.
func (c *set) send(sig syscall.Signal, group bool) {
	for _, p := range c.list {
		p.send(sig, group)
	}
}

// send reaches what a command has left behind, too.
func (p *process) send(sig syscall.Signal, group bool) {
	switch {
	case p.phase == before:
	case p.phase == swept && len(p.left) > 0:
		for _, target := range p.left {
			_ = syscall.Kill(target, sig)
		}
	case p.phase == swept || group:
		_ = syscall.Kill(-p.pid, sig)
	default:
		_ = syscall.Kill(p.pid, sig)
	}
}

// of finds the command with this number.
func (c *set) of(pid int) *process {
	for _, p := range c.list {
		if p.phase == running && p.pid == pid {
			return p
		}
	}
	return nil
}

// close is for when no more commands follow.
func (c *set) close() {
	c.open = false
	c.advance()
}

// advance notices that the last command has ended.
func (c *set) advance() {
	if !c.open && !slices.ContainsFunc(c.list, func(p *process) bool { return p.phase == running }) {
		c.phase = swept
	}
}

// start makes a process, unless a stop signal has come: then it gives ErrStopped. The
// lock is held, and until signals have been delivered.
func (s *Signals) start(p *process, spawn func() (int, error)) error {
	if s.stop.first.Signal != 0 {
		return ErrStopped
	}
	p.started = time.Now()
	pid, err := spawn()
	if err != nil {
		return err
	}
	p.number, p.pid, p.phase, p.ending, p.left = s.kin.n, pid, running, ending{}, nil
	s.guard.Guard(p.place, pid)
	return nil
}

// deliver gives the first command what has waited for it; the lock is held.
func (s *Signals) deliver() {
	for _, sig := range s.set.kept {
		s.forward(sig)
	}
	s.set.kept = nil
}

// end is the end of a set. It gives the first stop signal that a command lived to see.
func (s *Signals) end() syscall.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set.phase = over
	return s.stop.while
}

// child is one that has changed its state.
type child struct {
	pid     int // 0: none has; negative: there are none
	status  syscall.WaitStatus
	command *process // that it is; nil: it's another's orphan, or a helper
}

// collect takes a child that has changed its state, if there is one. options are those
// of wait4(2).
func (s *Signals) collect(options int) child {
	var c child
	var usage syscall.Rusage
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for {
		c.pid, err = syscall.Wait4(-1, &c.status, syscall.WNOHANG|options, &usage)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if c.pid <= 0 {
		return c
	}
	c.command = s.set.of(c.pid)
	if !c.status.Stopped() {
		s.kin.reaped(c.pid)
		if c.pid == s.guard.PID() {
			s.guard.Gone()
		}
	}
	if c.command != nil && !c.status.Stopped() {
		s.ended(c.command, c.status, usage)
	}
	return c
}

// ended is for a command that was reaped; the lock is held.
func (s *Signals) ended(p *process, status syscall.WaitStatus, usage syscall.Rusage) {
	p.phase = swept
	p.ending = ending{at: time.Now(), status: status, usage: usage, stop: s.stop.while}
	s.set.advance()
}

// ownPeak is the most memory that nth has had, in bytes.
func ownPeak() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return maxRSS(u)
}

// result tells of the process itself.
func (p *process) result() Result {
	e := p.ending
	res := Result{ExitCode: e.status.ExitStatus(), Stop: e.stop, Started: p.started, Ended: e.at,
		MaxRSS: maxRSS(e.usage), User: time.Duration(e.usage.Utime.Nano()), System: time.Duration(e.usage.Stime.Nano())}
	if e.status.Signaled() {
		res.Signal = e.status.Signal()
		res.ExitCode = failure.SignalOffset + int(res.Signal)
	}
	return res
}
