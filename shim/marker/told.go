package marker

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
)

// WriteFailure keeps the record of a failure, with one more failure than the record before
// it counted, or as many as the platform knows: who was killed outright left no record. It is best effort: the last writer wins, and the
// caller only logs its error.
func (b *Book) WriteFailure(ctx context.Context, f Failure) error {
	return b.replaceFailure(ctx, f.Header, func(before Failure) Failure {
		if f.Failures = before.Failures + 1; f.Task == nil { // of whose attempts the index's say nothing
			f.Failures = max(f.Failures, f.Attempt)
		}
		return f
	})
}

// WriteDead records of a task that it was put aside. What is recorded of its last
// attempt stays; where nothing is, f is what is told of it. Best effort, too.
func (b *Book) WriteDead(ctx context.Context, f Failure) error {
	return b.replaceFailure(ctx, f.Header, func(before Failure) Failure {
		if before.Task != nil && before.Task.Attempt >= f.Task.Attempt {
			before.Dead = true
			return before
		}
		f.Dead, f.Failures = true, before.Failures+1
		return f
	})
}

// replaceFailure writes what change makes of the record that is there. One that is broken
// counts as none.
func (b *Book) replaceFailure(ctx context.Context, h Header, change func(before Failure) Failure) error {
	key := b.key(failedDir, h)
	return b.tell(ctx, key, func(ctx context.Context) (any, error) {
		body, _, err := b.Store.Read(ctx, key)
		if err != nil && store.Classify(err) != contract.Absent {
			return nil, err
		}
		var before Failure
		_ = json.Unmarshal(body, &before)
		return change(before), nil
	})
}

// WriteStarted leaves a trace of an attempt that may be killed outright.
func (b *Book) WriteStarted(ctx context.Context, h Header, started time.Time) error {
	return b.tell(ctx, b.key(startedDir, h), func(context.Context) (any, error) {
		return struct {
			Header
			Started time.Time `json:"started"`
		}{h, started}, nil
	})
}

// WriteSkipped lists an item as settled and bad, so that a listing alone tells.
// Its marker follows it, and must not without it: exit code 73.
func (b *Book) WriteSkipped(ctx context.Context, m Marker) error {
	body, err := encode(m)
	if err != nil {
		return err
	}
	err = store.Retry(ctx, b.Write, func(ctx context.Context) error {
		return b.Store.Put(ctx, b.key(skippedDir, m.Header), body)
	}, b.Retrying)
	if err == nil {
		return nil
	}
	return notRecorded(err, b.Store.Show(b.key(skippedDir, m.Header)))
}

// unskip takes the entry as skipped away when the marker that stands now says done: that
// of this run, over a skipped one, or another's that was first. Best effort: who lists
// both looks at the marker when their dates are apart.
func (b *Book) unskip(ctx context.Context, m Marker, over, other *Entry) {
	if done := m.Outcome == Done && over != nil && over.Outcome == Skipped || m.Outcome == Skipped && other != nil && other.Outcome == Done; !done {
		return
	}
	_ = store.Retry(ctx, b.Told, func(ctx context.Context) error {
		return b.Store.Remove(ctx, b.key(skippedDir, m.Header))
	}, nil)
}

func (b *Book) tell(ctx context.Context, key string, make func(context.Context) (any, error)) error {
	return store.Retry(ctx, b.Told, func(ctx context.Context) error {
		doc, err := make(ctx)
		if err != nil {
			return err
		}
		body, err := encode(doc)
		if err != nil {
			return errors.Join(err, &contract.Error{Kind: contract.Invalid, Cause: err})
		}
		return b.Store.Put(ctx, key, body)
	}, nil)
}
