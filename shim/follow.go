package shim

import (
	"context"
	"sync"
	"time"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
)

// How often a shard's progress is recorded and logged. The first record comes soon, for
// a pod that doesn't live long.
const (
	firstSave = time.Second
	saveEvery = 5 * time.Second
	logEvery  = 10 * time.Second
)

// follow records and logs progress, until what it gives is called, and then once more.
func (r *run) follow() (end func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		pause, saved, well := firstSave, int64(0), true
		save := time.NewTimer(pause)
		tick := time.NewTicker(logEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				r.save(saved, well)
				return
			case <-tick.C:
				r.logProgress()
			case <-save.C:
				saved, well = r.save(saved, well)
				pause = min(2*pause, saveEvery)
				save.Reset(pause)
			}
		}
	})
	return func() {
		close(done)
		all.Wait()
	}
}

// progress is the document of this run: what it has done, and what it knows of.
func (r *run) progress() marker.Progress {
	sh := r.shard
	now := time.Now().UTC()
	sh.mu.Lock()
	done, skipped, failed := sh.done.Clone(), sh.skipped.Clone(), sh.failed.Clone()
	used := sh.used
	sh.mu.Unlock()
	if !sh.began.IsZero() {
		used.Started, used.Finished, used.DurationS = sh.began.UTC(), now, now.Sub(sh.began).Seconds()
	}
	return marker.Progress{Version: marker.Version, Index: r.id.Index, RunID: r.RunID, Digest: r.header.Digest,
		Items: sh.total, Start: sh.Start, End: sh.End, Updated: now, Used: used,
		Done: identity.Union(sh.before.Done, done).Cut(mostRanges), Skipped: identity.Union(sh.before.Skipped, skipped).Cut(mostRanges), Failed: failed}
}

// save records the progress if there is any, and gives how much of it is recorded. That
// it can't is no failure: those items run again.
func (r *run) save(saved int64, well bool) (int64, bool) {
	if r.book == nil {
		return saved, well
	}
	r.shard.mu.Lock()
	changes := r.shard.changes
	r.shard.mu.Unlock()
	if changes == saved {
		return saved, well
	}
	p := r.progress()
	body, err := p.Encode()
	if err == nil {
		err = store.Retry(context.Background(), r.policy(toldWindow), func(ctx context.Context) error {
			return r.book.Store.Put(ctx, marker.ProgressKey(p.Index, p.RunID), body)
		}, nil)
	}
	if err != nil {
		if well {
			r.log.Warn().Msg("record the progress: " + r.said(err) + "; trying again every few seconds")
		}
		return saved, false
	}
	if !well {
		r.log.Info().Msg("the progress is recorded again")
	}
	return changes, true
}

func (r *run) logProgress() {
	sh := r.shard
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r.log.Info().Int64("done", sh.before.Done.Len()+sh.settled).Int64("of", sh.Len()).Int64("failed", sh.failures).
		Float64("per_second", float64(sh.settled+sh.failures)/time.Since(sh.began).Seconds()).Msg("items")
}

// describe tells in the record of a failure which items it is about. The command's exit
// code there is that of the first one, if its command ran.
func (sh *shard) describe(doc *marker.Failure) {
	doc.ItemsFailed = shortList(sh.failed, maxRecorded)
	doc.Usage = sh.used
	doc.Started, doc.Finished, doc.DurationS = sh.began.UTC(), time.Now().UTC(), time.Since(sh.began).Seconds()
	if sh.first == nil || !sh.first.ran {
		doc.CommandCode = nil
	}
}
