//go:build !windows

package proc

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"nth/shim/failure"
)

// Interruptible is for a command that a person waits for, and that runs nothing: its
// context ends with the first signal that stops, and the cause is the failure, with
// what was tried and exit code 128+n. A second signal ends the process, unless it is the first
// one doubled. SIGPIPE is a
// reader of stdout who has enough; what was begun must be brought to an end all the same.
// The function is for when the command's work is done: it ends the context, and signals
// are without effect from then on.
func Interruptible(tried string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	over, end := context.WithCancel(context.Background())
	signals := Stops(syscall.SIGPIPE)
	go func() {
		var first First
		for {
			select {
			case got := <-signals:
				first = first.then(got.(syscall.Signal), tried, cancel)
			case <-over.Done():
				return
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		end()
	}
}

// then ends the context with the first signal, and the process with a second one.
func (f First) then(sig syscall.Signal, tried string, cancel context.CancelCauseFunc) First {
	now := time.Now()
	switch {
	case f.Signal == 0:
		cancel(&failure.Failure{Code: failure.SignalOffset + failure.Code(sig), Tried: tried, Cause: stoppedBy(sig)})
	case sig == syscall.SIGPIPE || f.Doubles(sig, now):
		return f
	case f.None():
	default:
		signal.Reset(sig)
		_ = syscall.Kill(os.Getpid(), sig)
	}
	return First{sig, now}
}
