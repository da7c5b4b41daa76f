package redisstream_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	redigo "github.com/gomodule/redigo/redis"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// TestAbandoned: of 10,000 tasks every third delivery is abandoned; some of those who do
// come back late. Each task is acknowledged once, and none is lost.
func TestAbandoned(t *testing.T) {
	const count, workers = 10_000, 8
	server := servers.StartRedis(t, "appendonly no")
	q := newQueue(t, server)
	server.Do(t, "EVAL", "for i = 0, ARGV[1] - 1 do redis.call('XADD', KEYS[1], '*', 'payload', 'task ' .. i) end", 1, q.name, count)
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
	if all := q.info(t, "CONSUMERS", q.name, "g"); len(all) != 0 {
		t.Errorf("%d consumers are left", len(all))
	}
	if n := q.Left(t); n != 0 || len(done) != count {
		t.Errorf("%d are left, %d done", n, len(done))
	}
	t.Logf("%d deliveries of %d tasks, %d abandoned, %d of whom were too late", deliveries, count, abandoned, late)
}

// TestCluster: whichever node the URL names, and whatever the stream's name.
func TestCluster(t *testing.T) {
	nodes := servers.StartRedisCluster(t)
	node := func(key string) int {
		n, err := redigo.Int(nodes[0].Do(t, "CLUSTER", "KEYSLOT", key), nil)
		if err != nil {
			t.Fatal(err)
		}
		return n / 5462
	}
	t.Run("suite", func(t *testing.T) {
		tasks.Run(t, tasks.Harness{Lease: time.Second, New: func(t testing.TB) tasks.Queue {
			name := fmt.Sprint("cluster_", queues.Add(1))
			q := &queue{server: nodes[node(name)], name: name, url: "redis://" + nodes[(node(name)+1)%3].Address + "?group=g&stream=" + name}
			q.server.Do(t, "XGROUP", "CREATE", name, "g", 0, "MKSTREAM")
			return q
		}})
	})
	for _, name := range []string{"jobs", "a:b", "{a}b", "x{a}{b}", "a{b", "{", "a{{b}c"} {
		nodes[node(name)].Do(t, "XADD", name, "*", "payload", "x")
		s := open(t, "redis://"+nodes[0].Address+"?group=%7Bg%7D&stream="+url.QueryEscape(name), task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
		if dead, err := s.Fail(t.Context(), take(t, s), task.Failure{}); !dead || err != nil {
			t.Errorf("%s: %v, %v", name, dead, err)
		}
	}
	for _, name := range []string{"a{}b", "a}b"} {
		_, err := open(t, "redis://"+nodes[0].Address+"?group=g&stream="+url.QueryEscape(name), task.Options{RunID: "a"}).Take(t.Context())
		if kind(err) != contract.Refused || !strings.Contains(err.Error(), "same slot") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
