//go:build !windows

package proc

import (
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"

	"nth/shim/proc/launch"
)

// unforwarded are signals about nth itself: its children, the Go runtime's
// preemption (SIGURG), and synchronous faults, as in tini. 32 to 34 belong to
// libc's threads and can't be caught with Go.
var unforwarded = []syscall.Signal{
	syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGURG, syscall.SIGFPE, syscall.SIGILL, syscall.SIGSEGV,
	syscall.SIGBUS, syscall.SIGABRT, syscall.SIGTRAP, syscall.SIGSYS, 32, 33, 34,
}

// intake is where nth's signals arrive. None of a kind is lost, though equal ones
// merge, as in the kernel.
type intake struct {
	caught  chan os.Signal
	waiting [maxSignal + 1]atomic.Bool // what is in ready already
	ready   chan syscall.Signal        // each kind at most once
}

// mark is what nth sends itself to know that all is handled that the kernel had for it before. It
// is for nobody else: that children end, say, happens all the time, and one of those isn't this one.
const mark = syscall.SIGSYS

// early has caught signals since the process began; nil: Catch wasn't called. Signals are
// the process's own, and so is this.
var early *intake

// control are the signals by which a terminal stops a process. Catch leaves them alone: what Go
// has caught once, has no effect from then on, though nobody wants it any more (runtime.sigdisable).
var control = []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}

// Catch begins to catch signals, and keeps them for who says what they mean: Watch for a
// run, Answer for any other command. It comes first of all in main: what is not caught ends
// a process 1 without a word, with exit code 2 (the Go runtime's).
func Catch() { early = newIntake() }

// newIntake begins to catch signals.
func newIntake() *intake {
	var list []os.Signal
	for n := syscall.Signal(1); n <= maxSignal; n++ {
		// What nth was started to ignore (nohup; & in a script), the command ignores too:
		// to catch it here would undo that. Go can tell so of SIGHUP and SIGINT alone, and
		// leaves those as they are that a terminal stops with; all others its runtime has
		// taken before anybody could look.
		if !slices.Contains(unforwarded, n) && !slices.Contains(control, n) && !ignored(n) {
			list = append(list, n)
		}
	}
	return takeIn(list)
}

func ignored(sig syscall.Signal) bool { return signal.Ignored(sig) || launch.Ignored(int(sig)) }

// alsoControl begins to catch what a terminal stops a process by, too.
func (in *intake) alsoControl() {
	for _, sig := range control {
		if !ignored(sig) {
			signal.Notify(in.caught, sig)
		}
	}
}

// takeIn begins to catch these signals, and the mark.
func takeIn(list []os.Signal) *intake {
	in := &intake{caught: make(chan os.Signal, 4*maxSignal), ready: make(chan syscall.Signal, maxSignal)}
	signal.Notify(in.caught, append(list, mark)...)
	return in
}

// begin hands signals on to handle, one after the other.
func (in *intake) begin(handle func(syscall.Signal)) {
	go in.collect()
	go func() {
		for sig := range in.ready {
			in.waiting[sig].Store(false)
			handle(sig)
		}
	}()
}

// collect takes signals from a channel that loses what it has no room for, and
// never waits: not for the lock of Signals either, which a start holds for as long as
// the program's file takes to load.
func (in *intake) collect() {
	for sig := range in.caught {
		if n := sig.(syscall.Signal); !in.waiting[n].Swap(true) {
			in.ready <- n
		}
	}
}
