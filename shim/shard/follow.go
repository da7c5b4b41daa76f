package shard

import (
	"sync"
	"time"

	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/marker"
)

// How often a shard's progress is recorded and logged. The first record comes soon, for
// a pod that doesn't live long.
const (
	firstSave = time.Second
	saveEvery = 5 * time.Second
	logEvery  = 10 * time.Second
)

// follow records and logs progress, until what it gives is called, and then once more.
func (sh *shard) follow(it item.Item, t *tally) (end func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		pause, saved := firstSave, savings{well: true}
		save := time.NewTimer(pause)
		tick := time.NewTicker(logEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				sh.save(it, t, saved)
				return
			case <-tick.C:
				sh.logProgress(t)
			case <-t.kick:
				saved = sh.save(it, t, saved)
			case <-save.C:
				saved = sh.save(it, t, saved)
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

// savings is how much of the progress is recorded, and whether the store took the last
// record.
type savings struct {
	changes int64
	well    bool
}

// progress is the document of this run: what it has done, and what it knows of.
func (sh *shard) progress(it item.Item, t *tally) marker.Progress {
	now, s, before := time.Now(), t.snapshot(), t.known()
	return marker.Progress{Version: marker.Version, Index: sh.Identity.Index, RunID: sh.RunID, Digest: it.Header.Digest,
		Items: sh.total, Start: sh.Start, End: sh.End, Updated: now.UTC(), Used: t.used(s, now),
		Done: identity.Union(before.Done, s.done).Cut(mostRanges), Skipped: identity.Union(before.Skipped, s.skipped).Cut(mostRanges), Failed: s.failed}
}

// save records the progress if there is any. That it can't is no failure: those items run
// again.
func (sh *shard) save(it item.Item, t *tally, saved savings) savings {
	changes := t.counted().changes
	err := sh.help.save(it, t)
	if err == nil && (changes == saved.changes || !sh.Record.Kept()) {
		return saved
	}
	if err == nil {
		p := sh.progress(it, t)
		if err = sh.Record.Save(p); err == nil {
			sh.help.saved(p)
		}
	}
	if err != nil {
		if saved.well {
			sh.Log.Warn().Msg("record the progress: " + sh.Said(err) + "; trying again every few seconds")
		}
		return savings{saved.changes, false}
	}
	if !saved.well {
		sh.Log.Info().Msg("the progress is recorded again")
	}
	return savings{changes, true}
}

func (sh *shard) logProgress(t *tally) {
	s := t.counted()
	sh.Log.Info().Int64("done", t.known().Done.Len()+s.settled).Int64("of", sh.Len()).Int64("failed", s.failures).
		Float64("per_second", float64(s.settled+s.failures)/time.Since(t.began).Seconds()).Msg("items")
}
