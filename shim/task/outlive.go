package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nth/shim/store/contract"
)

// Grace is how long the answer to a take is waited for when its context is cancelled: a
// task in an answer that nobody reads is nobody's until its lease ends, and has lost an
// attempt.
const Grace = 5 * time.Second

// Settled is how long at most a server may still be at a take whose connection is lost.
const Settled = time.Minute

// Outlive gives a context that goes on for the grace when another one is cancelled, and
// ends at its deadline all the same. One that has ended already is given as it is.
func Outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() != nil {
		return ctx, func() {}
	}
	end, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if deadline, ok := ctx.Deadline(); ok {
		cancel()
		end, cancel = context.WithDeadline(context.WithoutCancel(ctx), deadline)
	}
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(Grace):
			cancel()
		case <-end.Done():
		}
	})
	return end, func() { stop(); cancel() }
}

// ErrUnasked is in the error of a Take whose context ended before the server was asked:
// no task was taken.
var ErrUnasked = errors.New("it wasn't asked")

// NoWay is the error of a source that has no way to tell that a task is given back, for
// lack of what a flag says: the end of its lease does it.
func NoWay(flag string) error {
	return &contract.Error{Kind: contract.Invalid, Cause: fmt.Errorf("nobody can be told without %s", flag)}
}
