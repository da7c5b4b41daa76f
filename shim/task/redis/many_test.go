package redis_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	redigo "github.com/gomodule/redigo/redis"

	"nth/shim/task"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// TestAbandoned: of 10,000 tasks every third delivery is abandoned; some of those who do
// come back late. Each task is acknowledged once, and none is lost.
func TestAbandoned(t *testing.T) {
	const count, workers = 10_000, 8
	server := servers.StartRedis(t, "appendonly no")
	q := newQueue(server)
	all := []any{q.name}
	for i := range count {
		all = append(all, fmt.Sprint("task ", i))
	}
	server.Do(t, "RPUSH", all...)
	var mu sync.Mutex
	done, deliveries, abandoned, late := map[string]int{}, 0, 0, 0
	finish := func(s task.Source, got *task.Task) {
		err := s.Done(t.Context(), got)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			done[string(got.Payload)]++
		case errors.Is(err, task.ErrLost):
			late++
		default:
			t.Errorf("done: %v", err)
		}
	}
	var group sync.WaitGroup
	for index := range int64(workers) {
		group.Go(func() {
			worker := func(run int) task.Source {
				return open(t, q.url, task.Options{Index: index, RunID: fmt.Sprint(index, "-", run), Lease: 200 * time.Millisecond})
			}
			random := rand.New(rand.NewPCG(uint64(index), 6))
			s, run := worker(0), 1
			for {
				got, err := s.Take(t.Context())
				if err != nil {
					t.Errorf("take: %v", err)
					return
				}
				if got == nil {
					more, err := s.Unfinished(t.Context())
					if err != nil || !more {
						return
					}
					time.Sleep(10 * time.Millisecond)
					continue
				}
				fate := random.IntN(6)
				mu.Lock()
				deliveries++
				if fate < 2 {
					abandoned++
				}
				mu.Unlock()
				switch fate {
				case 0: // dies, and starts again
					_ = s.Close()
					s, run = worker(run), run+1
				case 1: // is paused, and another runs under its index
					old := s
					group.Go(func() {
						time.Sleep(200 * time.Millisecond)
						finish(old, got)
						_ = old.Close()
					})
					s, run = worker(run), run+1
				default:
					finish(s, got)
				}
			}
		})
	}
	group.Wait()
	for i := range count {
		if n := done[fmt.Sprint("task ", i)]; n != 1 {
			t.Errorf("task %d was acknowledged %d times", i, n)
		}
	}
	if n := q.Left(t); n != 0 || len(done) != count {
		t.Errorf("%d are left, %d done", n, len(done))
	}
	t.Logf("%d deliveries of %d tasks, %d abandoned, %d of whom were too late", deliveries, count, abandoned, late)
}

// TestCluster: whichever node the URL names, and whatever the queue's name.
func TestCluster(t *testing.T) {
	nodes := servers.StartRedisCluster(t)
	slot := func(key string) int {
		n, err := redigo.Int(nodes[0].Do(t, "CLUSTER", "KEYSLOT", key), nil)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	node := func(key string) int { return slot(key) / 5462 }
	t.Run("suite", func(t *testing.T) {
		tasks.Run(t, tasks.Harness{Lease: time.Second, New: func(t testing.TB) tasks.Queue {
			q := newQueue(nodes[0])
			q.server = nodes[node(q.name)]
			q.url = "redis://" + nodes[(node(q.name)+1)%3].Address + "?queue=" + q.name
			return q
		}})
	})
	for _, name := range []string{"jobs", "a:b", "{a}b", "x{a}{b}", "a{b", "{", "a{{b}c"} {
		owner := nodes[node(name)]
		owner.Do(t, "RPUSH", name, "x")
		s := newSource(t, "redis://"+nodes[0].Address+"?queue="+strings.NewReplacer("{", "%7B", "}", "%7D").Replace(name))
		got, err := s.Take(t.Context())
		if err != nil || got == nil {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		if err := s.Done(t.Context(), got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, says := range map[string]string{"a{}b": "same slot", "a}b": "same slot", "jobs&db=1": "SELECT is not allowed"} {
		_, err := newSource(t, "redis://"+nodes[0].Address+"?queue="+name).Take(t.Context())
		if kind(err) == ok || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	host, _, _ := net.SplitHostPort(nodes[0].Address)
	if _, err := newSource(t, "redis://"+host+":1?queue=q").Take(t.Context()); err == nil {
		t.Error("nobody answered")
	}
}
