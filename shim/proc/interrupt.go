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
	signals := Stops(syscall.SIGPIPE)
	go func() {
		select {
		case got := <-signals:
			first := First{got.(syscall.Signal), time.Now()}
			cancel(&failure.Failure{Code: failure.SignalOffset + failure.Code(first.Signal), Tried: tried, Cause: stoppedBy(first.Signal)})
			for got := range signals {
				switch sig, now := got.(syscall.Signal), time.Now(); {
				case sig == syscall.SIGPIPE || first.Doubles(sig, now):
				case first.None():
					first = First{sig, now}
				default:
					signal.Reset(sig)
					_ = syscall.Kill(os.Getpid(), sig)
				}
			}
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}
