package repair

import (
	"context"
	"sync"
	"sync/atomic"

	"nth/shim/marker"
)

// hands is how many items are worked on at the same time.
const hands = 16

// each does something for 0 to n-1, several at a time. It ends with the first error,
// or with ctx, whose cause it gives; what was begun by then may be done by half.
func each(ctx context.Context, n int, do func(ctx context.Context, k int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(hands, n) {
		group.Go(func() {
			for ctx.Err() == nil {
				k := int(next.Add(1)) - 1
				if k >= n {
					return
				}
				if err := do(ctx, k); err != nil {
					cancel(err)
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// batch is the items that a command changes.
type batch struct {
	*session
	found inventory
	items []marker.Item

	mu      sync.Mutex
	refused heap
	through []bool // by item
}

// work changes each item, but for those that a living run claims.
func (b *batch) work(change func(context.Context, marker.Item) error) error {
	claimed := func(item marker.Item) bool {
		h := b.found[item]
		return h != nil && h.claimed && !b.Force
	}
	for _, item := range b.items {
		if claimed(item) {
			if err := b.setClock(); err != nil {
				return err
			}
			break
		}
	}
	b.through = make([]bool, len(b.items))
	count, stop := b.bar(len(b.items))
	defer stop()
	return each(b.ctx, len(b.items), func(ctx context.Context, k int) error {
		item, alive, err := b.items[k], false, error(nil)
		if claimed(item) {
			alive, err = b.alive(ctx, item)
		}
		switch {
		case err != nil:
			return err
		case alive:
			b.note(&b.refused, item)
		default:
			if err := change(ctx, item); err != nil {
				return err
			}
		}
		b.through[k] = true
		count.Add(1)
		return nil
	})
}

// note puts an item on a heap.
func (b *batch) note(h *heap, item marker.Item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h.add(item)
}

// end tells which items were refused, and which are left after an error; then it gives
// the exit code.
func (b *batch) end(err error, left string) (int, error) {
	if n := b.refused.len(); n > 0 {
		b.warn("%s refused, for a living run claims it: %s (--force doesn't look for claims)", counted(n, "index is", "indexes are"), &b.refused)
	}
	if err == nil && b.refused.len() > 0 {
		return 1, nil
	}
	if err != nil {
		rest := &heap{}
		for k, item := range b.items {
			if b.through == nil || !b.through[k] {
				rest.add(item)
			}
		}
		if rest.len() > 0 {
			b.warn("%s: %s", left, rest)
		}
	}
	return 0, err
}
