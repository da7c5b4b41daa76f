package once

import (
	"context"

	"nth/shim/end"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/store"
	"nth/shim/success"
)

// Do takes an item its way, and then looks whether it was the Job's last. ctx ends with what
// is to end it before its command exists.
func (w *Way) Do(ctx context.Context, it item.Item, work Work) end.Report {
	last, err := w.last(ctx, it)
	if err != nil {
		return end.Report{Header: it.Header, Record: w.Record, Output: w.Output, QuitURL: it.Places.QuitURL, Err: err}
	}
	r, own := w.do(ctx, it, work)
	if r.Err == nil && last != nil {
		r.Err = w.end(it, last, own)
	}
	return r
}

// last gives what looks for the Job's end, without asking anything; nil: nobody wants it, or
// it isn't known to this index of a Job that has grown.
func (w *Way) last(ctx context.Context, it item.Item) (*success.Job, error) {
	url, n := it.Places.Success.Value, w.Identity.Total()
	if url == "" || n == nil || !w.Record.Kept() {
		return nil, nil
	}
	at, key, err := w.Stores.OpenObject(ctx, url)
	if err != nil {
		return nil, store.Of("--success", err)
	}
	c, h := w.Config.Stores, it.Header
	return &success.Job{Markers: w.Record.Store(), N: *n, At: at, Key: key,
		Policy: store.Policy{Window: c.MarkerTimeout, PerCall: c.StoreTimeout, Pieces: true},
		Mine:   success.Document{Nth: h.Nth, Job: h.Job, JobUID: h.JobUID, RunID: h.RunID}}, nil
}

// end writes the Job's document if nothing is left to do. A stop signal doesn't interrupt
// it; who can't ask fails, although its item is done, for it may have been the last: started
// again, it looks again.
func (w *Way) end(it item.Item, last *success.Job, own bool) error {
	w.Begin("success")
	wrote, err := last.After(context.Background(), it.Header.Index, own)
	if err != nil {
		f := store.Fail(err, failure.OneIndex, "look whether the Job is done, for", it.Places.Success.Shown)
		if f.Hint == "" {
			f.Hint = it.Header.What() + " is done; started again it only looks again, and so does nth wait --success"
		}
		return f
	}
	if wrote {
		w.Log.Info().Str("document", it.Places.Success.Shown).Msgf("all %d indexes are done", last.N)
	}
	return nil
}
