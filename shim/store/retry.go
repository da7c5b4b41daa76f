package store

import (
	"context"
	"math/rand/v2"
	"time"

	"nth/shim/store/contract"
)

// Between two tries: 100 ms at first, doubled each time up to 10 s, and of that a
// random part, so that the pods of a Job don't come back in step.
const (
	firstWait = 100 * time.Millisecond
	maxWait   = 10 * time.Second
)

// lastCall is what the last try gets, however little is left of the window.
const lastCall = time.Second

// paused is how late something must be over for this process to have been stopped meanwhile: by
// SIGSTOP, a freezer, or a scheduler that suspends jobs. It is more than what is taken back of
// a write may take, for which a call goes on after its end.
const paused = 15 * time.Second

// Policy bounds the tries of one operation. All of it is over when the window is,
// and a second for the last try: a pod's grace period is calculated from it.
type Policy struct {
	Window  time.Duration // from the first try; 0: one try
	PerCall time.Duration // of a single try; 0: no limit of its own
	// Pieces says that an answer may be long: what a try has begins anew with each piece
	// that comes, and then neither it nor the window is for the whole.
	Pieces bool
	// Final tells which kinds a further try can't change; nil: contract.Kind.Final, and what
	// stands in a blob's place.
	Final func(contract.Kind) bool
	// Sleep waits, and gives up with the context; nil: the clock. Tests replace it.
	Sleep func(ctx context.Context, d time.Duration) error
}

// InTheMiddle is a Policy's Final for who is in the middle of the work: the server has
// done what was asked before, so that a refusal, or an answer that can't be read, may be
// a proxy's or a restart's, and is tried again.
func InTheMiddle(k contract.Kind) bool {
	return k == contract.Absent || k == contract.Exists || k == contract.Invalid || k == contract.Lost
}

// Retry tries until op succeeds, the window is over, or the answer is of a kind that a
// further try won't change. Refused credentials and missing buckets are tried again: a
// sidecar or a workload's identity may be up later than we are. It returns the last
// error, or the context's cause.
func Retry(ctx context.Context, p Policy, op func(context.Context) error, notify func(err error, wait time.Duration)) error {
	deadline := time.Now().Add(p.Window)
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		late, err := p.once(ctx, p.limit(deadline), op)
		if err == nil || p.IsFinal(err) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if late > paused && p.Window > 0 {
			deadline = deadline.Add(late + lastCall) // for one more at least
		}
		pause := wait/2 + rand.N(wait)
		if left := time.Until(deadline); left <= 0 {
			return err
		} else if pause > left {
			pause = left // the last try is at the window's end
		}
		if notify != nil {
			notify(err, pause)
		}
		began := time.Now()
		if err := p.Pause(ctx, pause); err != nil {
			return err
		}
		if late := time.Since(began) - pause; late > paused {
			deadline = deadline.Add(late)
		}
	}
}

// IsFinal tells whether a further try can't change an error.
func (p Policy) IsFinal(err error) bool {
	if p.Final != nil {
		return p.Final(Classify(err))
	}
	return Classify(err).Final() || contract.Blocked(err) || contract.Lasts(err)
}

// limit is the deadline of the next call, 0 for none.
func (p Policy) limit(window time.Time) time.Duration {
	if p.Window <= 0 {
		return p.PerCall
	}
	left := max(time.Until(window), lastCall)
	if p.PerCall > 0 {
		return min(p.PerCall, left)
	}
	return left
}

// once makes a try, and tells by how much it was over later than its time was.
func (p Policy) once(ctx context.Context, limit time.Duration, op func(context.Context) error) (late time.Duration, err error) {
	if limit <= 0 {
		return 0, op(ctx)
	}
	if p.Pieces {
		ctx, cancel := contract.WithPatience(ctx, limit)
		defer cancel()
		err = op(ctx)
		return contract.Late(ctx), err
	}
	ends := time.Now().Add(limit)
	ctx, cancel := context.WithDeadline(ctx, ends)
	defer cancel()
	err = op(ctx)
	return time.Since(ends), err
}

// Pause waits between two tries, and gives up with the context, whose cause it gives.
func (p Policy) Pause(ctx context.Context, d time.Duration) error {
	if p.Sleep != nil {
		if p.Sleep(ctx, d) != nil {
			return context.Cause(ctx)
		}
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
