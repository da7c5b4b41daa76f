package repair

import (
	"context"
	"sync"

	"nth/shim/marker"
	"nth/shim/store"
)

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
	return store.Each(b.ctx, len(b.items), func(ctx context.Context, k int) error {
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
		b.warn("%s refused, for a living run claims it: %s (--force does it all the same)", counted(n, "index is", "indexes are"), &b.refused)
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
