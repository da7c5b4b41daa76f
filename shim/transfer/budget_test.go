package transfer

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestBudget: no more is under way than there is, all come to their turn, also those that
// want more than there is, and who gives up leaves nothing taken.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const of = 100
		var b budget
		var mu sync.Mutex
		now, most, came, left := int64(0), int64(0), 0, 0
		dice := rand.New(rand.NewPCG(3, 4))
		var group sync.WaitGroup
		for range 500 {
			n, wait, work := 1+dice.Int64N(2*of), time.Duration(dice.IntN(50000)), time.Duration(dice.IntN(100))
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), wait)
				defer cancel()
				give, err := b.take(ctx, n, of)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					left++
					return
				}
				now, came = now+min(n, of), came+1
				most = max(most, now)
				mu.Unlock()
				time.Sleep(work)
				mu.Lock()
				now -= min(n, of)
				give()
			})
		}
		group.Wait()
		if most > of || came == 0 || left == 0 || b.used != 0 || len(b.queue) != 0 {
			t.Errorf("%d of %d at the same time; %d came, %d gave up; %d are still taken, %d wait", most, of, came, left, b.used, len(b.queue))
		}
	})
}

// TestBudgetOrder: who asks first has it first, however little the others ask for.
func TestBudgetOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b budget
		give, err := b.take(t.Context(), 60, 100)
		if err != nil {
			t.Fatal(err)
		}
		var order []int64
		ctx, cancel := context.WithCancelCause(t.Context())
		for _, n := range []int64{100, 1} {
			go func() {
				give, err := b.take(ctx, n, 100)
				if err == nil {
					order = append(order, n)
					give()
				}
			}()
			synctest.Wait()
		}
		if len(order) != 0 {
			t.Errorf("%v came before the 100 that wait", order)
		}
		give()
		synctest.Wait()
		if len(order) != 2 || order[0] != 100 {
			t.Errorf("the order is %v", order)
		}
		stopped := errors.New("stopped")
		cancel(stopped)
		if give, err = b.take(t.Context(), 1, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := b.take(ctx, 1, 1); err != stopped {
			t.Errorf("the error is %v", err)
		}
		give()
	})
}
