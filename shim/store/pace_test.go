package store

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// TestPace: a server that takes so many at a time, and no more a second for being asked for
// more, is asked for as many, give or take the last trial; one that says it is too much gets
// less from then on.
func TestPace(t *testing.T) {
	for _, c := range []struct {
		name         string
		capacity     int // what it does at a time, each in a second
		refuses      int // it says that it is too much with more; 0: never
		least, limit int
	}{
		{"takes all", 1000, 0, 256, 256},
		{"takes a hundred", 100, 0, 100, 128},
		{"takes what it is given first", 16, 0, 16, 16},
		{"takes less", 4, 0, 16, 16}, // to wait there costs nothing
		{"refuses more than forty", 1000, 40, 16, 64},
		{"refuses nearly all", 1000, 2, 1, 4},
	} {
		at := time.Unix(0, 0)
		p := NewPace(16, 256)
		p.now = func() time.Time { return at }
		p.begin()
		least, most := 256, 0
		for i := range 20_000 {
			p.busy = 1
			at = at.Add(time.Second / time.Duration(min(p.limit, c.capacity)))
			if c.refuses > 0 && p.limit > c.refuses {
				p.Slow(nil, 0)
			}
			p.give()
			if i > 10_000 {
				least, most = min(least, p.limit), max(most, p.limit)
			}
		}
		if least < c.least || least > c.limit || most > 2*c.limit {
			t.Errorf("%s: from %d to %d at a time, want %d to %d, and twice as many in a trial", c.name, least, most, c.least, c.limit)
		}
	}
}

// TestPaceEach: each is done once, no more than so many at a time; the first error ends
// the others, and so does the context.
func TestPaceEach(t *testing.T) {
	var busy, most, done atomic.Int64
	err := NewPace(3, 6).Each(t.Context(), 1000, func(context.Context, int) error {
		for n := busy.Add(1); ; {
			if was := most.Load(); n <= was || most.CompareAndSwap(was, n) {
				break
			}
		}
		defer busy.Add(-1)
		done.Add(1)
		return nil
	})
	if err != nil || done.Load() != 1000 || most.Load() > 6 {
		t.Errorf("%d were done, %d at a time: %v", done.Load(), most.Load(), err)
	}
	broken := errors.New("broken")
	done.Store(0)
	err = NewPace(2, 2).Each(t.Context(), 1_000_000, func(ctx context.Context, k int) error {
		done.Add(1)
		if k == 3 {
			return broken
		}
		return nil
	})
	if err != broken || done.Load() > 900_000 {
		t.Errorf("%v after %d", err, done.Load())
	}
	ctx, stop := context.WithCancelCause(t.Context())
	err = NewPace(2, 2).Each(ctx, 10, func(ctx context.Context, k int) error {
		stop(broken) // while others wait for their turn
		<-ctx.Done()
		return nil
	})
	if err != broken {
		t.Errorf("%v", err)
	}
}
