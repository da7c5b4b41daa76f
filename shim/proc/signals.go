//go:build !windows

package proc

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"nth/shim/joint"
	"nth/shim/proc/guard"
)

// SignalConfig says which signals mean stop, and how signals are passed on.
type SignalConfig struct {
	Stop  []syscall.Signal                  // as they come to nth, before Remap
	Remap map[syscall.Signal]syscall.Signal // what the command gets instead; 0: nothing
	Group bool                              // to the command's whole group, not to it alone
}

// unkept are dropped before there is a command: the size of the terminal is asked
// for when a program starts.
var unkept = []syscall.Signal{syscall.SIGWINCH}

// Signals catches every signal from the beginning of a run to its end, and passes it
// on to the commands that there are.
type Signals struct {
	*host
	cfg  SignalConfig
	wake wakes
	part *part // of others' commands that run at the same time (parts.go); nil: it has all

	// Under the host's lock.
	stop  stop
	set   set
	pause pause

	catching joint.Call // of signals that the kernel has
}

// host is what a process has once for all its commands.
type host struct {
	pid1   bool
	intake *intake
	kin    kin  // for those alone who run commands
	tells  bool // another one tells the commands what a stop signal means for them (Attend), a little later

	// mu is the one lock of start, reap and kill: a process is signalled only
	// while nobody can have reaped it. It guards all that follows.
	mu    sync.Mutex
	guard *guard.Guard // of the commands; nil: none
	parts *Parts       // that have the commands; nil: there are none
}

// wakes tell those who wait for commands that they should look; each holds one word.
type wakes struct {
	child     chan struct{} // a child has changed its state
	idle      chan struct{} // the same
	caughtUp  chan struct{} // the mark is handled
	stop      chan struct{} // the first stop signal while a command runs
	drain     chan struct{} // one was held back
	continued chan struct{} // SIGCONT came to an nth that had not stopped
}

// stop is what is known of stop signals. While a command may drain, the first one is
// held back.
type stop struct {
	ctx    context.Context // ends with one that comes before there is a command
	cancel context.CancelCauseFunc
	first  First          // of the run
	looked time.Time      // when there was none, and not one on its way here
	while  syscall.Signal // the first one that the commands there are lived to see
	drains bool
	held   syscall.Signal
}

// Watch takes the signals that there are, those that came since Catch first, for as long
// as the process lives. It comes first of all in a run, and once, so that none is lost
// before the command exists.
func Watch(cfg SignalConfig) *Signals {
	s := newSignals(&host{pid1: os.Getpid() == 1, kin: newKin()}, cfg)
	if s.intake = early; early == nil {
		s.intake = newIntake()
	}
	s.intake.alsoControl()
	s.intake.begin(s.handle)
	if s.pid1 {
		go reapStale(s.wake.idle, s.whileIdle)
	}
	return s
}

func newSignals(h *host, cfg SignalConfig) *Signals {
	word := func() chan struct{} { return make(chan struct{}, 1) }
	s := &Signals{host: h, cfg: cfg, pause: pause{heard: word(), resumed: word()},
		wake: wakes{child: word(), idle: word(), caughtUp: word(), stop: word(), drain: word(), continued: word()}}
	s.stop.ctx, s.stop.cancel = context.WithCancelCause(context.Background())
	return s
}

// Context ends with a stop signal that comes before the command exists; its cause names
// the signal.
func (s *Signals) Context() context.Context { return s.stop.ctx }

// Stopped gives the first stop signal so far, whenever it came; false: there was none.
func (s *Signals) Stopped() (syscall.Signal, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop.first.Signal, s.stop.first.Signal != 0
}

// Again makes ready for another command after one has ended. False: a stop signal has
// come, and there must be no other command.
func (s *Signals) Again() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop.first.Signal != 0 {
		return false
	}
	s.set.phase, s.stop.while, s.stop.held = before, 0, 0
	return true
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// handle never waits for anything but the lock.
func (s *Signals) handle(sig syscall.Signal) {
	switch sig {
	case syscall.SIGCHLD:
		poke(s.wake.child)
		poke(s.wake.idle)
		return
	case mark:
		poke(s.wake.caughtUp)
		return
	case syscall.SIGPIPE:
		return // of nth's own: its log, or the connection to a store or queue that is gone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stop := s.isStop(sig)
	switch {
	case s.pause.takes(sig):
	case s.parts != nil:
		s.parts.take(sig, stop)
	default:
		s.answer(sig, stop)
	}
}

func stoppedBy(sig syscall.Signal) error { return fmt.Errorf("stopped by %s", SignalName(sig)) }

// answer does what a signal means for the commands of a set; the lock is held.
func (s *Signals) answer(sig syscall.Signal, stop bool) {
	switch phase := s.set.phase; {
	case sig == syscall.SIGTSTP && !stop && (s.set.background || phase != running && resumable(s.pid1)):
		suspend(s)
	case phase == before && stop:
		s.stop.cancel(stoppedBy(sig))
	case phase == before && !slices.Contains(unkept, sig):
		s.set.keep(sig)
	case phase == running && stop && s.pid1 && s.set.isOver(): // and nobody but nth was signalled
	case phase == running && stop && s.stop.drains && s.stop.held == 0:
		s.stop.held = sig
		poke(s.wake.drain)
	case phase == running && stop && s.stop.held != 0 && s.stop.while == 0 && s.stop.first.Doubles(sig, time.Now()):
	case phase == running:
		if stop {
			s.note(sig)
		}
		if sig == syscall.SIGCONT { // fg of what was started with & or sent on with bg
			poke(s.wake.continued)
		}
		s.forward(sig)
		if stop {
			s.resume()
		}
	case phase == swept:
		s.forward(sig)
	}
}

// isStop tells whether a signal means stop, and remembers the run's first.
func (s *Signals) isStop(sig syscall.Signal) bool {
	if !s.isStopSignal(sig) {
		return false
	}
	if s.stop.first.Signal == 0 {
		s.stop.first = First{sig, time.Now()}
	}
	return true
}

// note remembers the first stop signal that the command lived to see.
func (s *Signals) note(sig syscall.Signal) {
	if s.stop.while == 0 {
		s.stop.while = sig
		poke(s.wake.stop)
	}
}

// typed notes a signal that the terminal sent to the command.
func (s *Signals) typed(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isStop(sig) {
		s.note(sig)
	}
}

// passOn sends the command the stop signal that was held back.
func (s *Signals) passOn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set.phase == running && s.stop.while == 0 {
		s.note(s.stop.held)
		s.forward(s.stop.held)
		s.resume()
	}
}

// resume continues, after a stop signal, commands that the kernel has stopped because the terminal
// isn't theirs: they would never see it.
func (s *Signals) resume() {
	if s.set.background {
		s.set.send(syscall.SIGCONT, true)
	}
}

// forward sends a signal, or what it is mapped to, to all commands, and as process 1 to
// all that they have left behind.
func (s *Signals) forward(sig syscall.Signal) {
	if to, ok := s.cfg.Remap[sig]; ok {
		sig = to
	}
	switch {
	case sig == 0:
	case s.set.phase == swept && s.pid1:
		_ = syscall.Kill(-1, sig)
	default:
		s.set.send(sig, s.cfg.Group)
	}
}
