package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"nth/shim/store"
)

func TestEach(t *testing.T) {
	var times [100]atomic.Int32
	err := store.Each(t.Context(), len(times), func(_ context.Context, k int) error {
		times[k].Add(1)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for k := range times {
		if n := times[k].Load(); n != 1 {
			t.Errorf("%d was done %d times", k, n)
		}
	}
}

// TestEachFails: the first error ends the others, and is the one that is told.
func TestEachFails(t *testing.T) {
	broken := errors.New("broken")
	var all atomic.Int32
	err := store.Each(t.Context(), 1_000_000, func(ctx context.Context, k int) error {
		all.Add(1)
		if k == 3 {
			return broken
		}
		if k < store.Hands {
			<-ctx.Done() // it may be waiting for an answer
			return ctx.Err()
		}
		return nil
	})
	if err != broken {
		t.Errorf("%v, want %v", err, broken)
	}
	if n := all.Load(); n > store.Hands {
		t.Errorf("%d were begun, want %d at most", n, store.Hands)
	}
}

func TestEachStopped(t *testing.T) {
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := store.Each(ctx, 1_000_000, func(_ context.Context, k int) error {
		if k == 100 {
			cancel(stopped)
		}
		return nil
	})
	if err != stopped {
		t.Errorf("%v, want %v", err, stopped)
	}
}
