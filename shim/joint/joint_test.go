package joint

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestDo: whoever asks gets the result of a call that began after that, and those who ask in
// the same time share one.
func TestDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Call
		var calls atomic.Int64
		odd := errors.New("odd")
		call := func() error {
			n := calls.Add(1)
			time.Sleep(time.Second)
			if n%2 == 1 {
				return odd
			}
			return nil
		}
		var all sync.WaitGroup
		first := func() {
			if err := c.Do(call); err != odd {
				t.Errorf("the first call gave %v", err)
			}
		}
		all.Go(first)
		synctest.Wait()
		for range 50 { // while the first call is made, which is too early for them
			all.Go(func() {
				if err := c.Do(call); err != nil {
					t.Errorf("the second call gave %v", err)
				}
			})
		}
		all.Wait()
		if n := calls.Load(); n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestAfter: what was done before Do is in its call.
func TestAfter(t *testing.T) {
	var c Call
	var written, synced atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				mine := written.Add(1)
				_ = c.Do(func() error {
					synced.Store(written.Load())
					return nil
				})
				if synced.Load() < mine {
					t.Errorf("%d isn't in %d", mine, synced.Load())
				}
			}
		})
	}
	all.Wait()
}

// TestCalls: who asks for the same name shares, other names don't wait, and nothing is left of
// a name that nobody asks for any more.
func TestCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Calls
		var calls atomic.Int64
		var all sync.WaitGroup
		began := time.Now()
		for range 50 {
			for _, name := range []string{"a", "b"} {
				all.Go(func() {
					_ = c.Do(name, func() error {
						calls.Add(1)
						time.Sleep(time.Second)
						return nil
					})
				})
			}
		}
		all.Wait()
		if n, took := calls.Load(), time.Since(began); n > 4 || took > 2*time.Second || len(c.used) != 0 {
			t.Errorf("%d calls in %s, and %d names are left", n, took, len(c.used))
		}
	})
}
