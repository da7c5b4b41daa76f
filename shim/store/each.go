package store

import (
	"context"
	"sync"
	"sync/atomic"

	"nth/shim/store/web"
)

// Hands is how many requests are under way at the same time, where there are many.
const Hands = 16

// MostHands is how many a Pace may have.
const MostHands = web.MostConns

// Each does something for 0 to n-1, Hands of them at a time. It ends with the first
// error, or with ctx, whose cause it gives; what was begun by then may be done by half.
func Each(ctx context.Context, n int, do func(ctx context.Context, k int) error) error {
	return EachOf(ctx, n, Hands, do)
}

// EachOf is Each with so many at a time.
func EachOf(ctx context.Context, n, hands int, do func(ctx context.Context, k int) error) error {
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
