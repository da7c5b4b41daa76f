package proc

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
)

// SignalConfig says which signals mean stop, and how signals are passed on.
type SignalConfig struct {
	Stop  []syscall.Signal
	Remap map[syscall.Signal]syscall.Signal // 0 drops
	Group bool                              // to the command's whole group, not to it alone
}

// unforwarded are signals about nth itself: its children, the Go runtime's
// preemption (SIGURG), and synchronous faults, as in tini. 32 to 34 belong to
// libc's threads and can't be caught with Go.
var unforwarded = []syscall.Signal{
	syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGURG, syscall.SIGFPE, syscall.SIGILL, syscall.SIGSEGV,
	syscall.SIGBUS, syscall.SIGABRT, syscall.SIGTRAP, syscall.SIGSYS, 32, 33, 34,
}

// unkept are dropped before there is a command: the size of the terminal is asked
// for when a program starts.
var unkept = []syscall.Signal{syscall.SIGWINCH}

type phase int

const (
	before  phase = iota // there is no command yet
	running              // there is
	swept                // it has ended, and what it left behind is being ended
	over                 // nothing is left: signals are only noted
)

// Signals catches every signal from the beginning of a run to its end.
type Signals struct {
	cfg     SignalConfig
	caught  chan os.Signal
	waiting [maxSignal + 1]atomic.Bool // what is in ready already
	ready   chan syscall.Signal        // each kind at most once
	child   chan struct{}              // a child changed its state
	stop    chan struct{}              // the first stop signal while the command runs
	ctx     context.Context
	cancel  context.CancelCauseFunc

	// mu is the one lock of start, reap and kill: a process is signalled only
	// while nobody can have reaped it.
	mu    sync.Mutex
	phase phase
	first syscall.Signal // the first stop signal of the run
	while syscall.Signal // the first one while the command ran
	pid   int            // the command, and its group
	crew  *crew          // many commands; nil: one
	kept  []syscall.Signal
	pid1  bool

	// While a command may drain, the first stop signal is held back.
	drains   bool
	held     syscall.Signal
	draining chan struct{}

	suspended bool          // nth has stopped itself, as its command did
	ownStop   bool          // the next SIGTSTP is the one that it sent to its group
	resumed   chan struct{} // and was continued
	continued chan struct{} // SIGCONT came to an nth that had not stopped
}

// Watch begins to catch signals. It comes first of all in a run, so that none is
// lost before the command exists.
func Watch(cfg SignalConfig) *Signals {
	s := &Signals{cfg: cfg, caught: make(chan os.Signal, 4*maxSignal), ready: make(chan syscall.Signal, maxSignal),
		child: make(chan struct{}, 1), stop: make(chan struct{}, 1), resumed: make(chan struct{}, 1),
		continued: make(chan struct{}, 1), draining: make(chan struct{}, 1), pid1: os.Getpid() == 1}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	var list []os.Signal
	for n := syscall.Signal(1); n <= maxSignal; n++ {
		// What nth was started to ignore (nohup; & in a script), the command ignores too:
		// to catch it here would undo that. Go can tell so of SIGHUP and SIGINT alone.
		if !slices.Contains(unforwarded, n) && !signal.Ignored(n) {
			list = append(list, n)
		}
	}
	signal.Notify(s.caught, list...)
	go s.collect()
	go func() {
		for sig := range s.ready {
			s.waiting[sig].Store(false)
			s.handle(sig)
		}
	}()
	return s
}

// collect takes signals from a channel that loses what it has no room for, and
// never waits: not for the lock either, which a start holds for as long as the
// program's file takes to load.
func (s *Signals) collect() {
	for sig := range s.caught {
		if n := sig.(syscall.Signal); !s.waiting[n].Swap(true) {
			s.ready <- n
		}
	}
}

// Context ends with a stop signal that comes before the command exists.
func (s *Signals) Context() context.Context { return s.ctx }

// Stopped gives the first stop signal so far, whenever it came.
func (s *Signals) Stopped() (syscall.Signal, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first, s.first != 0
}

// Again makes ready for another command after one has ended. False: a stop signal has
// come, and there must be none.
func (s *Signals) Again() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first != 0 {
		return false
	}
	s.phase, s.while, s.held = before, 0, 0
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
		poke(s.child)
		return
	case syscall.SIGPIPE:
		return // of nth's own: its log, or the connection to a store or queue that is gone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stop := slices.Contains(s.cfg.Stop, sig)
	if stop && s.first == 0 {
		s.first = sig
	}
	switch {
	case s.ownStop && sig == syscall.SIGTSTP:
		s.ownStop = false
	case s.suspended && sig == syscall.SIGCONT:
		// The terminal comes first; then the command is continued.
		s.suspended = false
		poke(s.resumed)
	case s.phase == before && stop:
		s.cancel(fmt.Errorf("stopped by %s", SignalName(sig)))
	case s.phase == before && !slices.Contains(unkept, sig) && !slices.Contains(s.kept, sig):
		s.kept = append(s.kept, sig)
	case s.phase == running && stop && s.drains && s.held == 0:
		s.held = sig
		poke(s.draining)
	case s.phase == running && s.crew != nil && sig == syscall.SIGTSTP:
		if resumable(s.pid1) { // a Ctrl-Z: many are in the background, so it came to nth
			s.forward(sig)
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		}
	case s.phase == running:
		if stop {
			s.note(sig)
		}
		if sig == syscall.SIGCONT { // fg of what was started with & or sent on with bg
			poke(s.continued)
		}
		s.forward(sig)
	case s.phase == swept:
		s.forward(sig)
	}
}

// suspend stops nth, and returns when it was continued. The rest of its group, a
// script that waits for it, gets what it would have had from the terminal.
func (s *Signals) suspend() {
	s.mu.Lock()
	s.suspended, s.ownStop = true, true
	s.mu.Unlock()
	_ = syscall.Kill(0, syscall.SIGTSTP)
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	<-s.resumed
}

// note remembers the first stop signal that the command lived to see.
func (s *Signals) note(sig syscall.Signal) {
	if s.while == 0 {
		s.while = sig
		poke(s.stop)
	}
}

func (s *Signals) forward(sig syscall.Signal) {
	if to, ok := s.cfg.Remap[sig]; ok {
		sig = to
	}
	switch {
	case sig == 0:
	case s.crew != nil && s.phase == running:
		s.crew.forward(sig)
	case s.phase == swept && s.pid1:
		_ = syscall.Kill(-1, sig)
	case s.phase == swept || s.cfg.Group:
		_ = syscall.Kill(-s.pid, sig)
	default:
		_ = syscall.Kill(s.pid, sig)
	}
}
