package redis_test

import (
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	redigo "github.com/gomodule/redigo/redis"

	"nth/shim/task"
	"nth/shim/task/redis"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// queue is a list of a test's own.
type queue struct {
	server *servers.Redis
	name   string
	url    string
	push   string // how it is filled
}

var queues atomic.Int64

func newQueue(server *servers.Redis) *queue {
	name := fmt.Sprint("queue_", queues.Add(1))
	return &queue{server: server, name: name, url: "redis://" + server.Address + "/0?queue=" + name, push: "RPUSH"}
}

func (q *queue) key(name string) string { return "{" + q.name + "}:nth:" + name }

func (q *queue) Open(t testing.TB, o task.Options) task.Source {
	t.Helper()
	return open(t, q.url, o)
}

func open(t testing.TB, address string, o task.Options) *redis.Source {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := redis.Open(u, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*redis.Source)
}

func (q *queue) Fill(t testing.TB, payloads ...[]byte) {
	t.Helper()
	for _, p := range payloads {
		q.server.Do(t, q.push, q.name, p)
	}
}

func (q *queue) Dead(t testing.TB) [][]byte {
	t.Helper()
	all, err := redigo.ByteSlices(q.server.Do(t, "HVALS", q.key("dead")), nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Left counts the list and what is beside it, of which each part must agree.
func (q *queue) Left(t testing.TB) int {
	t.Helper()
	count := func(command, key string) int {
		n, err := redigo.Int(q.server.Do(t, command, key), nil)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := count("HLEN", q.key("task"))
	for name, command := range map[string]string{"meta": "HLEN", "lease": "ZCARD", "owner": "ZCARD"} {
		if got := count(command, q.key(name)); got != n {
			t.Errorf("%s has %d, task %d", name, got, n)
		}
	}
	if got := count("HLEN", q.key("taken")); got > n {
		t.Errorf("%d are taken, of %d", got, n)
	}
	return count("LLEN", q.name) + n
}

func TestSuite(t *testing.T) {
	server := servers.StartRedis(t)
	for name, change := range map[string]func(*queue){
		"left":  func(*queue) {},
		"right": func(q *queue) { q.url, q.push = q.url+"&pop=right", "LPUSH" },
	} {
		t.Run(name, func(t *testing.T) {
			tasks.Run(t, tasks.Harness{Lease: time.Second, New: func(testing.TB) tasks.Queue {
				q := newQueue(server)
				change(q)
				return q
			}})
		})
	}
}
