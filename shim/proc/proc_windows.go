// Package proc is here what commands need that look and repair: no command is run on Windows.
package proc

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"nth/shim/failure"
)

// WatcherName is that of no process here.
const WatcherName = "nth-terminal-watcher"

// WatcherMain isn't called.
func WatcherMain() {}

// Catch does nothing: Go's runtime ends the process by an interrupt.
func Catch() {}

// Answer does nothing, for the same reason.
func Answer(io.Writer) {}

// Suspensions brings none: nothing suspends a process here.
func Suspensions() chan os.Signal { return nil }

// Suspend does nothing.
func Suspend(func() (wake func())) {}

// SignalConfig is what a run does with signals, where it is.
type SignalConfig struct {
	Stop  []syscall.Signal
	Remap map[syscall.Signal]syscall.Signal
	Group bool
}

// Signals are a run's.
type Signals struct{}

// Stopped says that no signal has come.
func (*Signals) Stopped() (syscall.Signal, bool) { return 0, false }

// Interruptible gives a context that an interrupt ends, with what was tried; another one ends
// the process.
func Interruptible(tried string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		select {
		case <-signals:
			signal.Reset(os.Interrupt)
			cancel(&failure.Failure{Code: failure.SignalOffset + failure.Code(syscall.SIGINT), Tried: tried, Cause: errors.New("stopped by SIGINT")})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// linux are the names of the signals of Linux, where the Jobs run that are looked at.
var linux = [...]string{1: "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
	"CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"}

const sigStop = syscall.Signal(19)

func nameOf(sig syscall.Signal) string {
	if sig < 1 || int(sig) >= len(linux) {
		return ""
	}
	return "SIG" + linux[sig]
}
