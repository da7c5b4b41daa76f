package share

import (
	"context"
	"errors"
	"sync"
	"time"

	"nth/shim/claim"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
)

// Store is what workers need of the markers' store.
type Store interface {
	claim.Store
	List(ctx context.Context, prefix string, visit func(key string, size int64, modified time.Time) error) error
}

// Worker takes chunks for one run of an index.
type Worker struct {
	Space
	Store  Store
	Clock  claim.Clock
	Mine   claim.Document // Job, Index, RunID, Hostname and Node
	Digest string         // of the work: other work's claims are none of ours
	TTL    time.Duration
	// Access bounds the tries of one call, End those of giving a chunk back.
	Access, End store.Policy
	// Only are the blocks that may be helped; empty: all.
	Only identity.List
	// Settled are the blocks that are known to be done as a whole, Recorded are the items of
	// one that are.
	Settled  func(context.Context) (identity.List, error)
	Recorded func(ctx context.Context, index int64) (identity.List, error)
	// Foreign is told how many blocks aren't helped since they are worked at by another
	// command.
	Foreign func(blocks int)
	// Waiting is called each time before others are waited for, so that what this run has
	// done is recorded: they may wait for that.
	Waiting func()
	Trouble func(error, time.Duration)

	own     []Part // chunks of its block that it hasn't looked at yet
	tried   identity.List
	taken   map[int64]identity.List // items of chunks that have a claim, by block
	done    map[int64]identity.List // items that are recorded, by block
	looked  bool                    // at all claims
	alone   bool                    // it takes nothing from others any more
	watched map[int64]*claim.Claim  // of its block, by their first items
	broken  rules

	mu   sync.Mutex
	held []*Chunk
	lost chan struct{}
}

// rules are mistakes that only the tests make.
type rules struct {
	noRecheck, dropUnsaved, leaveEarly, noTakeOver bool
}

// ErrLater: there is no chunk to be had now; others have what is left.
var ErrLater = errors.New("others work at what is left")

// Begin says what is recorded of the worker's own block by now.
func (w *Worker) Begin(done identity.List) {
	w.taken, w.done, w.watched, w.lost = map[int64]identity.List{}, map[int64]identity.List{}, map[int64]*claim.Claim{}, make(chan struct{})
	w.done[w.Mine.Index] = done
	for p := range w.Chunks(w.Mine.Index) {
		w.own = append(w.own, p)
	}
}

// Alone ends the help for others.
func (w *Worker) Alone() { w.alone = true }

// Next gives the next chunk; nil: there is none any more, and the worker's own block is
// either recorded or was tried by it. Others that have the last of it are waited for, or,
// where the worker has something else to do, it is ErrLater.
func (w *Worker) Next(ctx context.Context, wait bool) (*Chunk, error) {
	c, err := w.nextOwn(ctx)
	if c == nil && err == nil && !w.alone {
		c, err = w.help(ctx)
	}
	if c == nil && err == nil {
		c, err = w.await(ctx, wait)
	}
	return c, err
}

// nextOwn takes the first chunk of the own block that nobody has.
func (w *Worker) nextOwn(ctx context.Context) (*Chunk, error) {
	index := w.Mine.Index
	for len(w.own) > 0 {
		p := w.own[0]
		if !within(p, identity.Union(w.taken[index], w.done[index])) {
			c, err := w.take(ctx, p)
			if err != nil || c != nil {
				return c, err
			}
			// Somebody was faster, and perhaps has more.
			if err := w.look(ctx, index); err != nil {
				return nil, err
			}
		}
		w.own = w.own[1:]
	}
	return nil, nil
}

// take claims a chunk that nobody is known to have; nil: somebody has it.
func (w *Worker) take(ctx context.Context, p Part) (*Chunk, error) {
	l, err := w.claim(p).Try(ctx)
	w.taken[p.Index] = identity.Union(w.taken[p.Index], identity.Span(p.Start, p.End))
	if held := (*claim.HeldError)(nil); errors.As(err, &held) || errors.Is(err, claim.ErrSettled) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return w.hold(p, l), nil
}

// claim is that of a chunk.
func (w *Worker) claim(p Part) *claim.Claim {
	mine := w.Mine
	mine.Index, mine.Chunk = p.Index, p.chunk(w.Digest)
	return &claim.Claim{Store: w.Store, Clock: w.Clock, Mine: mine, TTL: w.TTL, Access: w.Access, End: w.End, Trouble: w.Trouble,
		Settled: func(ctx context.Context) (bool, error) {
			if w.broken.noRecheck {
				return false, nil
			}
			err := w.learn(ctx, p.Index)
			return within(p, w.done[p.Index]), err
		}}
}

// learn reads what is recorded of a block.
func (w *Worker) learn(ctx context.Context, index int64) error {
	done, err := w.Recorded(ctx, index)
	if err == nil {
		w.done[index] = identity.Union(w.done[index], done)
	}
	return err
}

// look lists the chunks of a block that have a claim.
func (w *Worker) look(ctx context.Context, index int64) error {
	_, err := w.list(ctx, marker.ShareFolder(index)+w.Digest+"/")
	return err
}

// foreignLife is for how many times the time of a lease a claim of another work counts by
// which it was written last: who is at work writes each third of it.
const foreignLife = 3

// list lists claims of chunks, and gives the blocks that have some of another work and none
// of this.
func (w *Worker) list(ctx context.Context, prefix string) (foreign []int64, err error) {
	found := map[int64][]Part{}
	err = store.Retry(ctx, w.Access, func(ctx context.Context) error {
		clear(found)
		return w.Store.List(ctx, prefix, func(key string, _ int64, written time.Time) error {
			switch p, digest, ok := parse(key); {
			case ok && digest == w.Digest:
				found[p.Index] = append(found[p.Index], p)
			case ok && time.Since(written) < foreignLife*w.TTL: // else of an earlier command
				found[p.Index] = append(found[p.Index], Part{})
			}
			return nil
		})
	}, w.Trouble)
	for index, parts := range found {
		l := union(parts)
		w.taken[index] = identity.Union(w.taken[index], l)
		if l.Len() == 0 && index != w.Mine.Index {
			foreign = append(foreign, index)
		}
	}
	return foreign, err
}

// within tells whether a list has all items of a part.
func within(p Part, l identity.List) bool { return l.Next(p.Start) >= p.End }

func (w *Worker) trouble(err error, wait time.Duration) {
	if w.Trouble != nil {
		w.Trouble(err, wait)
	}
}
