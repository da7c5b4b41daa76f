package rabbitmq_test

import (
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"nth/shim/task"
	"nth/shim/task/rabbitmq"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// queue is one of a test's own.
type queue struct {
	server *servers.RabbitMQ
	name   string
	url    string
}

var queues atomic.Int64

// newQueue makes an empty queue, and one for its dead tasks.
func newQueue(t testing.TB, quorum bool) *queue {
	t.Helper()
	r := servers.SharedRabbitMQ(t)
	q := &queue{server: r, name: fmt.Sprint("queue-", queues.Add(1))}
	r.Queue(t, q.name, quorum, nil)
	r.Queue(t, q.dead(), quorum, nil)
	q.url = r.URL("?queue=" + q.name)
	return q
}

func (q *queue) dead() string { return q.name + ".dead" }

// Open opens the queue, and believes at once that it is empty.
func (q *queue) Open(t testing.TB, o task.Options) task.Source {
	t.Helper()
	address := q.url + "&settle=0s"
	if o.MaxAttempts > 0 {
		address += "&dead=" + q.dead()
	}
	return open(t, address, o)
}

func open(t testing.TB, address string, o task.Options) task.Source {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := rabbitmq.Open(u, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (q *queue) Fill(t testing.TB, payloads ...[]byte) { q.server.Send(t, q.name, payloads...) }

func (q *queue) Dead(t testing.TB) (all [][]byte) {
	for _, d := range q.server.All(t, q.dead()) {
		all = append(all, d.Body)
	}
	return all
}

func (q *queue) Left(t testing.TB) int { return q.server.Settled(t, q.name) }

// TestTasks: the suite of all sources, on each kind of queue.
func TestTasks(t *testing.T) {
	for name, quorum := range map[string]bool{"classic": false, "quorum": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tasks.Run(t, tasks.Harness{
				New: func(t testing.TB) tasks.Queue { return newQueue(t, quorum) },
				Missing: func(t testing.TB, o task.Options) task.Source {
					return open(t, servers.SharedRabbitMQ(t).URL("?queue=nothing"), o)
				},
				Lease:  2 * time.Second,
				Timed:  true,
				Silent: !quorum,
			})
		})
	}
}
