package shard

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"nth/shim/claim"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/marker"
	"nth/shim/record"
	"nth/shim/share"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// helper takes the items of a shard chunk by chunk, and then those of slower ones. A nil
// helper is for a shard that isn't shared.
type helper struct {
	*share.Worker
	sh    *shard
	tally *tally
	chunk *share.Chunk    // whose items are begun at the moment
	stop  func()          // the reading of them
	kept  map[int64]int64 // changes that are recorded, by the index that was helped
	told  bool            // that others are helped
}

// newHelper begins with what is recorded of the own shard. An error is a failure.
func (sh *shard) newHelper(it item.Item, t *tally) (*helper, error) {
	s, id := sh.Record.Store(), sh.Identity
	only, err := identity.ParseList(sh.Config.Index.Indexes)
	if sh.Config.Index.Indexes == "" {
		only, err = identity.List{}, nil
	}
	if err != nil {
		return nil, err
	}
	access := sh.FirstAccess()
	access.Pieces = false // a claim is short, and its time runs
	end := access
	end.Window = record.Told
	h := &helper{sh: sh, tally: t, kept: map[int64]int64{}}
	d := it.Header
	h.Worker = &share.Worker{Space: share.Space{Items: sh.total, Workers: *id.Total()}, Store: s, Clock: claim.System{},
		Mine:   claim.Document{Job: d.Job, Index: d.Index, RunID: d.RunID, Hostname: d.Hostname, Node: d.Node},
		Digest: share.Digest(d.Digest), TTL: sh.Config.Tasks.Lease, Access: access, End: end, Only: only,
		Settled: sh.Record.SettledIndexes, Waiting: t.record, Trouble: sh.Retrying}
	h.Foreign = func(blocks int) {
		sh.Log.Warn().Int("indexes", blocks).Msg("others are not helped: they work at another command; what differs between the workers of one Job is written as <<volatile …>>")
	}
	h.Recorded = func(ctx context.Context, index int64) (identity.List, error) { return h.recorded(ctx, it, index) }
	t.index, t.whose, t.away = id.Index, h.Owner, map[int64]*sum{}
	h.Begin(t.before.Done)
	return h, nil
}

// recorded reads what is recorded of a shard by all runs. Of the own one, that is news.
func (h *helper) recorded(ctx context.Context, it item.Item, index int64) (identity.List, error) {
	documents, err := h.sh.Record.Progress(ctx, index)
	if err != nil {
		return identity.List{}, err
	}
	if index == h.tally.index {
		h.sh.tell(it, h.tally, documents)
		return h.tally.known().Done, nil
	}
	return h.of(it, index, sum{}).Union(documents).Done, nil
}

// of is the document of this run about another's shard.
func (h *helper) of(it item.Item, index int64, s sum) marker.Progress {
	b, now := h.Block(index), time.Now()
	return marker.Progress{Version: marker.Version, Index: index, RunID: h.sh.RunID, Digest: it.Header.Digest, By: &h.tally.index,
		Items: h.sh.total, Start: b.Start, End: b.End, Updated: now.UTC(), Used: s.used,
		Done: s.done.Cut(mostRanges), Skipped: s.skipped.Cut(mostRanges), Failed: s.failed}
}

// save records what was done for others. The error is the store's.
func (h *helper) save(it item.Item, t *tally) error {
	if h == nil {
		return nil
	}
	for index, s := range t.helped() {
		if h.kept[index] == s.changes {
			continue
		}
		p := h.of(it, index, s)
		if err := h.sh.Record.Save(p); err != nil {
			return err
		}
		h.kept[index] = s.changes
		h.saved(p)
	}
	return nil
}

// saved lets go of what a document vouches for.
func (h *helper) saved(p marker.Progress) {
	if h != nil {
		h.Saved(p.Index, identity.Union(p.Done, p.Skipped), p.Failed)
	}
}

// end gives back what isn't done.
func (h *helper) end() {
	if h != nil {
		h.Close()
	}
}

// over tells whether a claim is lost.
func (h *helper) over() bool { return h != nil && h.Over() }

// isOther tells whether an item is of another's shard.
func (h *helper) isOther(item int64) bool { return h != nil && h.Owner(item) != h.tally.index }

var errChunkLost = errors.New("a claim is lost")

// later takes the next chunk when all items of the last one were begun.
func (h *helper) later(ctx context.Context, idle bool) bool {
	if h.has() {
		return false
	}
	h.quit()
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { // whose lease is lost, waits for no store
		select {
		case <-h.Lost():
			cancel(errChunkLost)
		case <-within.Done():
		}
	}()
	c, err := h.Next(within, idle)
	switch {
	case err != nil && context.Cause(within) == errChunkLost:
		return false
	case errors.Is(err, share.ErrLater):
		return true
	case err != nil:
		if ctx.Err() == nil {
			h.tally.broken = h.failure(err)
		}
		return false
	case c == nil:
		return false
	}
	h.begin(ctx, c)
	return false
}

func (h *helper) failure(err error) error {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	f := store.Fail(err, failure.OneIndex, "take items to work at", h.Store.(*store.Store).Show("share/"))
	if store.Classify(err) == contract.Unsupported {
		f.Code, f.Hint = failure.Setup, "--share needs file://, s3://, gs:// or azblob://; nth check proves a store"
	}
	return f
}

func (h *helper) has() bool { return h.chunk != nil && h.chunk.Left() > 0 }

// begin goes on to a chunk.
func (h *helper) begin(ctx context.Context, c *share.Chunk) {
	h.chunk = c
	if own := c.Index == h.tally.index; !own && !h.told {
		h.told = true
		h.sh.Log.Info().Int64("of", c.Index).Msg("all of the own items are taken: helping the slowest index")
	}
	h.sh.Log.Debug().Int64("of", c.Index).Int64("start", c.Start).Int64("end", c.End).Msg("items taken")
	rs := h.sh.rows
	if rs == nil {
		return
	}
	ctx, h.stop = context.WithCancel(ctx)
	rs.batches, rs.now = make(chan batch), nil
	limit := c.End
	if c.Index == h.tally.index {
		limit = h.sh.End
	}
	go rs.feedFrom(ctx, c.Start, c.End, limit, c.Done)
}

// quit ends with a chunk.
func (h *helper) quit() {
	if h.chunk == nil {
		return
	}
	if h.has() {
		h.chunk.Quit()
	}
	h.chunk = nil
	if h.stop != nil {
		h.stop()
		for range h.sh.rows.batches { // until nobody reads any more
		}
		h.stop = nil
	}
}

// take gives the chunk's next item.
func (h *helper) take() (row, bool) {
	if h.chunk == nil {
		return row{number: math.MaxInt64}, false
	}
	number, ok := h.chunk.Take()
	if !ok || h.sh.rows == nil {
		return row{number: number}, ok
	}
	of, err, ok := h.sh.rows.take()
	if err != nil {
		h.tally.broken = err
	}
	return of, ok
}

// failed tells of an item of another's: that one's own worker tries it again. Without
// --keep-going it is the last that this one has helped with.
func (h *helper) failed(of row, why *failure.Failure) {
	h.sh.Log.Warn().Int64("item", of.number).Int("exit_code", int(why.Code)).Msg("item " + h.sh.named(of) + " of index " + strconv.FormatInt(h.Owner(of.number), 10) + " has failed here, and is given back to it: " + h.sh.Secrets.Hide(why.Error()))
	if h.sh.Config.Mapping.KeepGoing {
		return
	}
	h.Alone()
	if h.chunk != nil && h.chunk.Index != h.tally.index {
		h.quit()
	}
}
