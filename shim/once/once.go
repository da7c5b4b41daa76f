// Package once is one item's way, from the question whether it is done to the marker that
// says so. Each step takes what the step before gives. An index, a task of a queue and a
// shard all go it; what differs is the work that is done in its middle.
package once

import (
	"context"
	"errors"
	"time"

	"nth/shim/config"
	"nth/shim/end"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/marker"
	"nth/shim/output"
	"nth/shim/record"
)

// Way is what the steps need of their run.
type Way struct {
	*item.Run
	Record record.Record
	Output *output.Keeper
	Ending *end.Ending
	// Nth is which item of its run it is, from 0: what is done before the first isn't done
	// before each of many.
	Nth int
	// Retry is how often this item's command has failed before, in this run.
	Retry int
}

// Work does what there is to do for an item whose inputs are there. An error of something
// that failed after a command ran is an *end.Error.
type Work func(ctx context.Context, it item.Item, in Inputs) (Outcome, error)

// Outcome is work that was found to have succeeded.
type Outcome struct {
	As       string // marker.Done or marker.Skipped
	ExitCode int
	Evidence end.Evidence
	Shard    *marker.Shard // of a shard, with what was skipped of it
}

// do takes an item its way. Own says that its marker is this run's, and was nobody's before.
func (w *Way) do(ctx context.Context, it item.Item, work Work) (r end.Report, own bool) {
	r = end.Report{Header: it.Header, Record: w.Record, Output: w.Output, QuitURL: it.Places.QuitURL}
	found, outputs, err := w.seek(ctx, it, &r)
	if err != nil || found.Settled {
		w.forget(it, err)
		r.Err = err
		return r, false
	}
	in, err := w.require(ctx, it)
	if err == nil {
		in.Lease, found, err = w.claim(ctx, it, found)
	}
	defer w.release(in.Lease)
	if err == nil && in.Lease != nil && in.Lease.TookOver() && !found.Settled { // who had it may have made the result
		found, err = w.settled(ctx, it, outputs, found)
	}
	if err != nil || found.Settled {
		w.forget(it, err)
		r.Err = err
		return r, false
	}
	own, r.Err = w.run(ctx, it, in, found, outputs, work)
	for w.mayRetry(it, r.Err) {
		if r.Err = w.retry(ctx, in.Lease, r.Err); r.Err != nil {
			return r, false
		}
		if found, outputs, r.Err = w.seek(ctx, it, &r); r.Err != nil || found.Settled { // by another, meanwhile
			w.forget(it, r.Err)
			return r, false
		}
		own, r.Err = w.run(ctx, it, in, found, outputs, work)
	}
	r.Err = w.afterRetries(r.Err)
	return r, own
}

// seek finds out whether the item is done, and opens the places of its outputs if it isn't.
func (w *Way) seek(ctx context.Context, it item.Item, r *end.Report) (found record.Verdict, outputs *results, err error) {
	found, r.Record, err = w.look(ctx, it)
	if err == nil && !found.Settled {
		outputs, err = w.results(ctx, it)
	}
	if err == nil {
		found, err = w.settled(ctx, it, outputs, found)
	}
	return found, outputs, err
}

// settled finds out, where the record says nothing, whether the item is done all the same.
func (w *Way) settled(ctx context.Context, it item.Item, outputs *results, found record.Verdict) (record.Verdict, error) {
	if found.Settled {
		return found, nil
	}
	found, err := outputs.forward(ctx, found)
	if err == nil && !found.Settled {
		found, err = w.doneIf(ctx, it, found)
	}
	return found, err
}

// run fetches what is needed, does the work, and says once and for all what came of it.
func (w *Way) run(ctx context.Context, it item.Item, in Inputs, found record.Verdict, outputs *results, work Work) (own bool, err error) {
	err = outputs.reach(ctx)
	if err == nil {
		err = outputs.clear(ctx)
	}
	if err == nil {
		err = w.bring(ctx, it, &in)
	}
	defer func() { in.close() }()
	defer outputs.leave()
	if err == nil {
		err = outputs.open(&in)
	}
	if err != nil {
		outputs.drop()
		return false, err
	}
	in.Checkpoints = w.checkpoints(it)
	done, err := work(ctx, it, in)
	if err != nil {
		outputs.drop()
	} else if own, err = w.conclude(outputs, it, found, done); err == nil {
		w.forget(it, nil)
		return own, nil
	}
	w.keepFailed(it)
	return false, err
}

// Look tells only what the record says of an item.
func (w *Way) Look(ctx context.Context, it item.Item) (record.Verdict, error) {
	v, _, err := w.look(ctx, it)
	return v, err
}

func (w *Way) look(ctx context.Context, it item.Item) (record.Verdict, record.Record, error) {
	if err := w.Step(ctx, "look"); err != nil {
		return record.Verdict{}, w.Record, err
	}
	if it.Places.Markers.Value == "" {
		w.Log.Info().Msg("no --markers: nothing is recorded, and every start runs the command")
	}
	v, rec, err := w.Record.Look(ctx, it.Header)
	if f, ok := errors.AsType[*failure.Failure](err); ok && f.Code == failure.BadIndex && it.Gone != nil {
		err = it.Gone // which version there was last, nobody knows
	}
	return v, rec, err
}

// record says what was done, once and for all.
func (w *Way) record(it item.Item, found record.Verdict, done Outcome) (own bool, err error) {
	w.Begin("record")
	return w.finish(w.marker(it, done), found)
}

// marker is that of work that was done.
func (w *Way) marker(it item.Item, done Outcome) marker.Marker {
	m := marker.Marker{Header: it.Header, Usage: done.Evidence.Usage, ExitCode: done.ExitCode, Source: marker.SourceRun, Outcome: done.As}
	m.Log, m.Retries = done.Evidence.Log, w.Retry
	if done.Shard != nil {
		m.Shard = done.Shard
	}
	return m
}

// finish writes a marker, from which on nth must not be given up.
func (w *Way) finish(m marker.Marker, found record.Verdict) (own bool, err error) {
	if w.Record.Kept() {
		w.Ending.Close()
	}
	return w.Record.Finish(m, found)
}

// Grace gives how long a command may take to stop: after a stop signal that came from
// outside, and where nth begins it, for which no platform will.
func Grace(c config.Process) (outside, own time.Duration) {
	if c.StopGrace > 0 {
		return c.StopGrace, c.StopGrace
	}
	return 0, ownStopGrace
}
