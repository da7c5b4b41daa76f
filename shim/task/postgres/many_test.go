package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

// crowd is workers that die again and again, of what a run does around a task.
type crowd struct {
	*queue
	t       testing.TB
	markers sync.Map // task ID → how often its marker was written
	ran     atomic.Int64
	died    atomic.Int64
}

// deaths are the places at which a worker may die.
const deaths = 3

// work takes tasks as an index does: it comes back after each of its deaths, and leaves
// when nothing is ready and nothing that it took is unfinished.
func (c *crowd) work(index int64, seed uint64) {
	random := rand.New(rand.NewPCG(seed, uint64(index)))
	for life := 0; ; life++ {
		s := c.Open(c.t, task.Options{Index: index, RunID: fmt.Sprint(index, "-", life), Lease: 500 * time.Millisecond})
		left := c.live(s, random)
		s.Close()
		if left {
			return
		}
		c.died.Add(1)
	}
}

// live is one life of a worker; true: it leaves for good.
func (c *crowd) live(s task.Source, random *rand.Rand) bool {
	for {
		got, _ := try(c.t, func() (*task.Task, error) { return s.Take(context.Background()) })
		if got == nil {
			more, _ := try(c.t, func() (bool, error) { return s.Unfinished(context.Background()) })
			if !more {
				return true
			}
			time.Sleep(20 * time.Millisecond)
			continue
		}
		death := deaths // none
		if random.IntN(3) == 0 {
			death = random.IntN(deaths)
		}
		if death == 0 {
			return false // before the command
		}
		if _, done := c.markers.Load(got.ID); !done {
			c.ran.Add(1)
			if death == 1 {
				return false // before the marker
			}
			n, _ := c.markers.LoadOrStore(got.ID, new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
		}
		if death == 2 {
			return false // before the acknowledgement
		}
		if _, err := try(c.t, func() (any, error) { return nil, s.Done(context.Background(), got) }); err != nil && err != task.ErrLost {
			c.t.Errorf("done: %v", err)
		}
	}
}

// try does again what the server couldn't be reached for.
func try[T any](t testing.TB, do func() (T, error)) (T, error) {
	for {
		got, err := do()
		if err == nil || err == task.ErrLost {
			return got, err
		}
		if kind(err) != contract.Unreachable {
			t.Error(err)
			return got, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestMany works through 10,000 tasks, fewer where each death costs a new login, with workers of which every third task kills one,
// and a server that is restarted in the middle.
func TestMany(t *testing.T) {
	const workers, seed = 8, 1
	server := servers.StartPostgres(t)
	bouncer := servers.StartPgBouncer(t, server)
	for name, row := range map[string]struct {
		address func(string) string
		count   int
	}{"server": {server.URL, 2_000}, "pooler": {bouncer.URL, 10_000}} {
		t.Run(name, func(t *testing.T) {
			count := row.count
			c := &crowd{queue: newQueue(t, server), t: t}
			c.address = row.address
			server.Exec(t, "INSERT INTO "+c.table+" (payload) SELECT convert_to('task ' || i, 'UTF8') FROM generate_series(1, $1) AS i", count)
			var group sync.WaitGroup
			for i := range int64(workers) {
				group.Go(func() { c.work(i, seed) })
			}
			for c.died.Load() < int64(count/6) {
				time.Sleep(time.Millisecond)
			}
			server.Stop()
			server.Restart(t)
			group.Wait()
			recorded := 0
			c.markers.Range(func(id, n any) bool {
				recorded++
				if times := n.(*atomic.Int64).Load(); times != 1 {
					t.Logf("%s was recorded %d times", id, times)
				}
				return true
			})
			if done := c.count(t, "state = 'done'"); done != count || recorded != count {
				t.Errorf("of %d tasks %d are done, %d recorded", count, done, recorded)
			}
			t.Logf("%d tasks, %d runs, %d deaths", count, c.ran.Load(), c.died.Load())
		})
	}
}
