//go:build !windows

package proc

import (
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// Parts are runs of commands that share a process: each runs one command after the other, with
// a Signals of its own, and several of them at the same time, each from a goroutine of its
// own. Of Many they differ in that each waits for itself: for a store, a queue, a stream.
//
// What comes to the process comes to all of them. Orphans are told apart as those of Many are:
// by their environment, their group or their session.
type Parts struct {
	s      *Signals // of the process
	graces graces   // of what is left at the end
	log    zerolog.Logger
	places []place
	began  time.Time
	null   *os.File // the stdin of those that are given none
	begun  atomic.Int64

	// Under the host's lock.
	list []*Signals
	oom  int64 // processes that had been killed for memory
}

// MostBeside bounds how many runs, for each place, may be at their verdict or their record while
// another one has the place: a stop signal counts for 20 ms.
const MostBeside = 32

// place is where one command after the other is started.
type place struct {
	starter
	pipes
	program program // that was found last
}

// part is a Signals's place among others.
type part struct {
	of    *Parts
	place int
	freed func()
}

// Divide makes ready for commands in so many places, from 0, one at a time in each. The times
// are a Command's, for what is left at the end. It comes before any command, once. An error is
// a failure with exit code 126.
func (s *Signals) Divide(places int, sweepGrace, stopGrace time.Duration, log zerolog.Logger) (*Parts, error) {
	null, err := openNull()
	if err != nil {
		return nil, err
	}
	p := &Parts{s: s, null: null, graces: graces{sweep: sweepGrace, stop: stopGrace}, log: log, places: make([]place, places), began: time.Now(), oom: oomKills()}
	if s.pid1 || becomeSubreaper() {
		s.kin.watch()
	}
	if !s.pid1 {
		go reapStale(s.wake.idle, s.whileIdle)
	}
	for i := range p.places {
		p.places[i].starter = newStarter(s.pid1, 0)
	}
	spareMemory()
	s.guardCommands(places, log)
	s.mu.Lock()
	s.parts = p
	s.mu.Unlock()
	return p, nil
}

// Part gives the Signals of a run in a place. A stop signal that came before stops it too.
// Freed is called when nothing is left of a command of its that has succeeded: another run may
// have the place from then on, while this one looks whether a signal has ended it, and is
// recorded. Nil: it keeps the place.
func (p *Parts) Part(place int, cfg SignalConfig, freed func()) *Signals {
	s := newSignals(p.s.host, cfg)
	s.part = &part{of: p, place: place, freed: freed}
	s.set.background = true
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.list = append(p.list, s)
	if first := p.s.stop.first.Signal; first != 0 && p.s.isStopSignal(first) {
		s.isStop(first)
		s.answer(first, true)
	}
	return s
}

// Leave says that a run has ended: no command of it follows.
func (p *Parts) Leave(s *Signals) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	s.set.phase = over
	p.list = slices.DeleteFunc(p.list, func(other *Signals) bool { return other == s })
	p.wind()
}

// End ends, after the last command, of which nobody knew whose it is, and as process 1
// everybody. All runs have left.
func (p *Parts) End() {
	s := p.s
	s.sweep(p.escaped, p.graces, p.log)
	s.unguard()
	s.mu.Lock()
	s.parts, s.set.phase = nil, over
	s.mu.Unlock()
	for i := range p.places {
		p.places[i].close()
	}
	p.null.Close()
}

func (p *Parts) escaped() (targets []int, reaped int) { return p.s.escaped(p.commands, p.log) }

// take does what a signal means for all runs; the lock is held.
func (p *Parts) take(sig syscall.Signal, stop bool) {
	if sig == syscall.SIGTSTP && !stop { // the terminal isn't the commands': this process alone has had it
		suspend(p)
		return
	}
	runs := slices.ContainsFunc(p.list, func(s *Signals) bool { return s.set.phase == running })
	p.each(func(s *Signals) {
		if stop {
			s.isStop(sig)
		}
		if stop || s.set.phase != before || !runs { // what is meant for the commands there are, isn't for the next ones
			s.answer(sig, stop)
		}
	})
	p.wind()
}

// Suspend is Suspend for all commands, and for what else there is.
func (p *Parts) Suspend(also func() (wake func())) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	Suspend(func() func() { // while the lock is held, no command starts
		p.control(syscall.SIGTSTP)
		wake := also()
		return func() {
			wake()
			p.control(syscall.SIGCONT)
		}
	})
}

func (p *Parts) control(sig syscall.Signal) {
	for _, s := range p.list {
		s.control(sig)
	}
}

func (p *Parts) each(do func(*Signals)) {
	for _, s := range p.list {
		do(s)
	}
}

// wind ends, after a stop signal, the context of the whole, when no run has a command any more
// or is about to tell of one; the lock is held.
func (p *Parts) wind() {
	if p.s.stop.first.Signal == 0 || slices.ContainsFunc(p.list, func(s *Signals) bool { return s.set.phase != before }) {
		return
	}
	p.s.stop.cancel(stoppedBy(p.s.stop.first.Signal))
}

// commands are those of all runs; the lock is held.
func (p *Parts) commands() (list []*process) {
	for _, s := range p.list {
		list = append(list, s.set.list...)
	}
	return list
}

// alone tells whether no other run has a command, or ends what one has left behind: what
// nobody knows is no other's then; the lock is held.
func (p *Parts) alone(s *Signals) bool {
	return !slices.ContainsFunc(p.list, func(other *Signals) bool {
		return other != s && (other.set.phase == running || other.set.phase == swept)
	})
}

// have tells whether a process is a command of one of the runs; the lock is held.
func (p *Parts) have(pid int) bool {
	return p != nil && slices.ContainsFunc(p.list, func(s *Signals) bool { return s.set.of(pid) != nil })
}

// Tell is for who decides itself what signals mean: it sends one to this run.
func (s *Signals) Tell(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer(sig, s.isStop(sig))
}

// Kill kills the run's command, and what it has left behind. Nothing is waited for any more.
func (s *Signals) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set.hurry = true
	s.set.send(syscall.SIGKILL, true)
}
