package once

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"nth/shim/claim"
	"nth/shim/edge"
	"nth/shim/end"
	"nth/shim/failure"
	"nth/shim/item"
)

// Before what has failed is tried again: a second, doubled each time.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// Pause is how long to wait after the n-th failure, from 1.
func Pause(n int) time.Duration {
	pause := firstPause
	for ; n > 1 && pause < maxPause; n-- {
		pause *= 2
	}
	return min(pause, maxPause)
}

// Passing tells whether another try may end otherwise than with this code: a Job's failure
// policy ends the index, or the Job, with those that it can't.
func Passing(code failure.Code) bool {
	for _, m := range failure.Meanings {
		if m.Code == code {
			return m.Policy != "FailJob" && m.Policy != "FailIndex"
		}
	}
	return true
}

// attempt names this one attempt at an item: a worker's run has many, and so has one that
// tries again.
func (w *Way) attempt() string {
	if w.Nth == 0 {
		return w.RunID + w.again()
	}
	return w.RunID + "." + strconv.Itoa(w.Nth) + w.again()
}

// again names the retry; "" for the first try.
func (w *Way) again() string {
	if w.Retry == 0 {
		return ""
	}
	return ".retry-" + strconv.Itoa(w.Retry)
}

// mayRetry tells whether the item's command has failed, by itself, and is to be run again in
// this run. What ended it from outside, a stop signal or a lost lease, ends the run too.
func (w *Way) mayRetry(it item.Item, err error) bool {
	e, ran := end.Ran(err)
	return ran && it.Header.Shard == nil && // whose items are tried again one by one
		!e.Judged && e.Stop == "" && !e.LeaseLost && w.Retry < w.Config.Process.Retries && Passing(failure.From(err).Code)
}

// retry makes ready for another try, after a pause. An error ends the run instead, with what
// is known of the command that failed.
func (w *Way) retry(ctx context.Context, lease *claim.Lease, failed error) error {
	w.Retry++
	f, pause := failure.From(failed), Pause(w.Retry)
	w.Log.Warn().Int("exit_code", int(f.Code)).Int("retry", w.Retry).Int("of", w.Config.Process.Retries).
		Msgf("%s; running it again in %s", w.Secrets.Hide(failure.OneLine(f.Error())), pause)
	w.Output.Wait(w.Process)
	w.Ending.Reopen()
	if w.Signals.Again() { // from here on a stop signal ends the context, and so the pause
		var lost <-chan struct{}
		if lease != nil {
			lost = lease.Lost()
		}
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-lost:
		}
	}
	if err := (Inputs{Lease: lease}).Held(); err != nil {
		return w.unretried(failed, failure.Held, "the claim was lost")
	}
	if sig, stopped := w.Signals.Stopped(); stopped {
		return w.unretried(failed, failure.SignalOffset+failure.Code(sig), "stopped by "+edge.SignalName(sig))
	}
	if ctx.Err() != nil {
		return w.unretried(failed, failure.Held, "the lease was lost")
	}
	return nil
}

// unretried is the end of a run that came before a retry.
func (w *Way) unretried(failed error, code failure.Code, why string) error {
	e, _ := end.Ran(failed)
	if sig, stopped := w.Signals.Stopped(); stopped {
		e.Stop = edge.SignalName(sig)
	}
	f := failure.From(failed)
	return end.After(&failure.Failure{Code: code, Tried: f.Tried, On: f.On,
		Cause: fmt.Errorf("%s before it was run again; it had failed before: %w", why, f.Cause)}, e)
}

// AfterRetries says of the last failure of a command how often it was tried again.
func AfterRetries(f *failure.Failure, n int) *failure.Failure {
	if n == 0 {
		return f
	}
	last, times := *f, "1 retry"
	if n > 1 {
		times = strconv.Itoa(n) + " retries"
	}
	last.Cause = fmt.Errorf("%w, after %s", f.Cause, times)
	return &last
}

// afterRetries says it of an item's last failure, if that is a command's.
func (w *Way) afterRetries(err error) error {
	e, ran := end.Ran(err)
	if !ran || w.Retry == 0 {
		return err
	}
	return end.After(AfterRetries(failure.From(err), w.Retry), e)
}
