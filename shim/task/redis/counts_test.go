package redis_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"nth/shim/task"
	"nth/testdata/servers"
)

// TestCountMeanwhile: what is taken while tasks are counted isn't counted twice.
func TestCountMeanwhile(t *testing.T) {
	const count = 1000
	server := servers.StartRedis(t, "appendonly no")
	q := newQueue(server)
	all := []any{q.name}
	for i := range count {
		all = append(all, fmt.Sprint("task ", i))
	}
	server.Do(t, "RPUSH", all...)
	teller := open(t, q.url, task.Options{Lease: time.Hour})
	var taken sync.WaitGroup
	over := make(chan struct{})
	taken.Go(func() {
		defer close(over)
		s := open(t, q.url, task.Options{Lease: time.Hour})
		for range count {
			if _, err := s.Take(t.Context()); err != nil {
				t.Errorf("take: %v", err)
				return
			}
		}
	})
	for last := false; !last; {
		select {
		case <-over:
			last = true
		default:
		}
		n, err := teller.Count(t.Context())
		if err != nil || n.Left > count || last && n.Left != count {
			t.Errorf("%+v, %v, of %d", n, err, count)
			break
		}
	}
	taken.Wait()
}
