package record

import (
	"context"
	"math"
	"slices"
	"time"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
)

// Progress reads what other runs of an index's shard have done: earlier ones, and a
// duplicate that works at the same time. An error is a failure with exit code 69 or 77.
func (r Record) Progress(ctx context.Context, index int64) ([]marker.Progress, error) {
	if r.book == nil {
		return nil, nil
	}
	documents, err := marker.ReadProgress(ctx, r.book.Store, r.book.Wait, index, r.Retrying)
	if err != nil {
		return nil, store.Fail(err, failure.OneIndex, "read the progress of earlier runs", r.book.Store.Show(marker.ProgressKey(index, "…")))
	}
	return documents, nil
}

// SettledIndexes gives the indexes that have a marker.
func (r Record) SettledIndexes(ctx context.Context) (identity.List, error) {
	var list []int64
	err := store.Retry(ctx, r.book.Wait, func(ctx context.Context) error {
		list = nil
		return r.book.Store.List(ctx, "done/", func(key string, _ int64, _ time.Time) error {
			if _, of, ok := marker.ParseKey(key); ok && of.Task == "" {
				list = append(list, of.Index)
			}
			return nil
		})
	}, r.Retrying)
	if err != nil {
		return identity.List{}, store.Fail(err, failure.OneIndex, "list the markers", r.book.Store.Show("done/"))
	}
	slices.Sort(list)
	var l identity.List
	for _, index := range list {
		l.Grow(index, math.MaxInt)
	}
	return l, nil
}

// Save records how far a run has come with its shard. The error is the store's.
func (r Record) Save(p marker.Progress) error {
	if r.book == nil {
		return nil
	}
	body, err := p.Encode()
	if err != nil {
		return err
	}
	return store.Retry(context.Background(), r.book.Told, func(ctx context.Context) error {
		return r.book.Store.Put(ctx, marker.ProgressKey(p.Index, p.RunID), body)
	}, nil)
}
