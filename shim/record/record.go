// Package record is where a run tells what came of its items, in the words of its log: the
// marker book of the Job, or nowhere.
package record

import (
	"context"
	"fmt"
	"strings"
	"time"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
)

// Told bounds the documents that are only told (failed/, started/, progress/): a run that
// is over, perhaps on its way out of a dying pod, doesn't wait longer.
const Told = 5 * time.Second

// Record is where a run's items are recorded. The zero value is nowhere: nothing is there,
// and nothing is kept.
type Record struct {
	book *marker.Book // nil: nowhere
	edge.Process
}

// Open opens the record at the markers' URL; "" is nowhere. It asks the store nothing. An
// error is a failure with exit code 64 or 78.
func Open(ctx context.Context, p edge.Process, m config.Markers, w config.Stores, url string) (Record, error) {
	if url == "" {
		return Record{}, nil
	}
	s, err := p.Stores.Open(ctx, url)
	if err != nil {
		return Record{}, store.Of("--markers", err)
	}
	per := func(window time.Duration) store.Policy {
		return store.Policy{Window: window, PerCall: w.StoreTimeout}
	}
	first := per(w.StoreWait)
	first.Pieces = true // of a listing of checkpoints; what is written is small, and a pod's end may wait for it
	return Record{Process: p, book: &marker.Book{Store: s, OnChange: m.OnChange, FanOut: strings.HasPrefix(url, "file:"),
		Wait: first, Write: per(w.MarkerTimeout), Told: per(Told), Retrying: p.Retrying}}, nil
}

// Kept tells whether anything is.
func (r Record) Kept() bool { return r.book != nil }

// Book is the markers' own; nil for nowhere.
func (r Record) Book() *marker.Book { return r.book }

// Store is where it is kept; nil for nowhere.
func (r Record) Store() *store.Store {
	if r.book == nil {
		return nil
	}
	return r.book.Store
}

// About gives the record with a log that knows what it is about.
func (r Record) About(p edge.Process) Record {
	r.Process = p
	return r
}

// Idle closes connections that are not in use.
func (r Record) Idle() {
	if r.book != nil {
		r.book.Store.Idle()
	}
}

// Finish writes a marker, which a pending stop signal doesn't interrupt; found is what the
// record said before. Own says that this run wrote it, and nobody before it. An error is a
// failure with exit code 65 or 73.
func (r Record) Finish(m marker.Marker, found Verdict) (own bool, err error) {
	if r.book == nil {
		return true, nil
	}
	if m.Outcome == marker.Skipped && m.Shard == nil {
		if err := r.book.WriteSkipped(context.Background(), m); err != nil {
			return false, err
		}
	}
	how, other, err := r.book.Finish(context.Background(), m, found.over)
	if err != nil {
		return false, err
	}
	r.Settled(m, how, other, "")
	return how != marker.Theirs && !found.Again(), nil
}

// Settled says how a marker came to be: other is the one of another run that stands there,
// and more what else is to be said.
func (r Record) Settled(m marker.Marker, how marker.Settled, other *marker.Entry, more string) {
	msg := fmt.Sprintf("%s is recorded as %s", m.What(), m.Outcome)
	switch {
	case how == marker.Recovered && m.RunID == r.RunID:
		msg += " (the store had answered our own write with silence)"
	case how == marker.Theirs && other != nil:
		msg = fmt.Sprintf("%s was recorded as %s by another run, %s, in the meantime", m.What(), other.Outcome, other.RunID)
	}
	r.Log.Info().Str("marker", r.book.Show(m.Header)).Msg(msg + more)
}

// Started leaves a trace of an attempt that may be killed outright. That it can't changes
// nothing.
func (r Record) Started(h marker.Header) {
	if r.book == nil {
		return
	}
	if err := r.book.WriteStarted(context.Background(), h, r.Now().UTC()); err != nil {
		r.Log.Warn().Msg("record the start: " + r.Said(err))
	}
}

// Failed keeps a failure for `nth status`. It is best effort, decides nothing and can't
// change the exit code.
func (r Record) Failed(doc marker.Failure) {
	if r.book == nil {
		return
	}
	if err := r.book.WriteFailure(context.Background(), doc); err != nil {
		r.Log.Warn().Msg("record the failure: " + r.Said(err))
	}
}

// Dead adds to a task's record that it was put aside, as Failed does.
func (r Record) Dead(doc marker.Failure) {
	if r.book == nil {
		return
	}
	if err := r.book.WriteDead(context.Background(), doc); err != nil {
		r.Log.Warn().Msg("record that the task was put aside: " + r.Said(err))
	}
}

// Failure begins the record of a failure, as of now.
func (r Record) Failure(h marker.Header, f *failure.Failure, message string) marker.Failure {
	if r.book == nil {
		return marker.Failure{}
	}
	now := r.Now().UTC()
	return marker.Failure{Header: h, Usage: marker.Usage{Started: now, Finished: now}, ExitCode: int(f.Code), Message: message}
}
