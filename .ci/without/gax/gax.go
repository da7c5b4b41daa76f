// Package gax is what gocloud.dev/internal/retry uses of Google's package of that
// name. Of nth's stores none retries through it.
package gax

import (
	"context"
	"time"
)

// Backoff gives the pauses between tries.
type Backoff struct{ Initial time.Duration }

// Pause gives the next one.
func (b *Backoff) Pause() time.Duration { return max(b.Initial, time.Second) }

// Sleep waits, and gives up with the context.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
