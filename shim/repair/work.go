package repair

import (
	"context"
	"sync"
	"sync/atomic"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// batch is the items that a command changes.
type batch struct {
	*session
	found inventory
	items []marker.Item
	many  func(context.Context, []int) error // changes several at once, by position; nil: there is no such way

	mu      sync.Mutex
	refused heap
	through []bool        // by item
	count   *atomic.Int64 // of those
}

// How many requests are under way at the same time at first, and at most; of those that are
// about many items there are few, for each is as much work as all of them.
const (
	hands, mostHands = store.Hands, store.MostHands
	lots, mostLots   = 2, 16
)

// fewItems are changed one by one: nothing is to be gained with them.
const fewItems = 20

// work changes each item, but for those that a living run claims.
func (b *batch) work(change func(context.Context, marker.Item) error) error {
	var free []int // of claims
	for k, item := range b.items {
		if !b.claimed(item) {
			free = append(free, k)
		}
	}
	if len(free) < len(b.items) {
		if err := b.setClock(); err != nil {
			return err
		}
	}
	b.through = make([]bool, len(b.items))
	count, stop := b.bar(len(b.items))
	defer stop()
	b.count = count
	if b.many != nil && len(free) > fewItems && b.store.RemovesMany() {
		if err := b.lots(free); err != nil {
			return err
		}
	}
	return b.paced(hands, mostHands).Each(b.ctx, len(b.items), func(ctx context.Context, k int) error {
		if b.through[k] {
			return nil
		}
		item, alive, err := b.items[k], false, error(nil)
		if b.claimed(item) { // just before it is changed, for a claim is renewed every few seconds
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
		b.pass(k)
		return nil
	})
}

// lots changes many items at once; those that aren't through then must be changed one by
// one, for the store knows no other way.
func (b *batch) lots(items []int) error {
	n := (len(items) + contract.MostRemoved - 1) / contract.MostRemoved
	err := b.paced(lots, mostLots).Each(b.ctx, n, func(ctx context.Context, k int) error {
		from := k * contract.MostRemoved
		return b.many(ctx, items[from:min(from+contract.MostRemoved, len(items))])
	})
	if err != nil && store.Classify(err) == contract.Unsupported {
		return nil
	}
	return err
}

// paced is the pace of what follows.
func (b *batch) paced(first, most int) *store.Pace {
	p := store.NewPace(first, most)
	b.slow = p.Slow
	return p
}

func (b *batch) claimed(item marker.Item) bool {
	h := b.found[item]
	return h != nil && h.claimed && !b.Force
}

// pass counts an item as through.
func (b *batch) pass(k int) {
	b.through[k] = true
	b.count.Add(1)
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
