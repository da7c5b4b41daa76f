package sqs

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nth/shim/task"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// queue is one of a test's own.
type queue struct {
	server  *servers.SQS
	address string // that is asked
	name    string
	dead    string // where its dead tasks go
	query   string
	filled  atomic.Int64
}

var queues atomic.Int64

// newQueue makes a queue whose dead tasks go into another one, by its own policy or by
// dead= in the URL.
func newQueue(t testing.TB, server *servers.SQS, ending string, policy bool) *queue {
	t.Helper()
	n := queues.Add(1)
	q := &queue{server: server, address: server.Address, name: fmt.Sprintf("queue_%d%s", n, ending), dead: fmt.Sprintf("dead_%d%s", n, ending)}
	server.Queue(t, q.dead, nil)
	if policy {
		server.Queue(t, q.name, server.Redrive(q.dead, 3))
	} else {
		server.Queue(t, q.name, nil)
		q.query = "&dead=" + q.dead
	}
	return q
}

func (q *queue) url(t testing.TB) *url.URL { return parsed(t, q.server.URL(q.address, q.name)+q.query) }

func parsed(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// open opens the queue with short polls, and believes at once that it is empty: one
// server counts exactly.
func (q *queue) open(t testing.TB, o task.Options) *source {
	t.Helper()
	o.Getenv = servers.Getenv(servers.S3Env())
	opened, err := Open(q.url(t), o)
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*source)
	s.wait, s.quiet.least = 0, 0
	t.Cleanup(func() { s.Close() })
	return s
}

func (q *queue) Open(t testing.TB, o task.Options) task.Source { return q.open(t, o) }

func (q *queue) Fill(t testing.TB, payloads ...[]byte) {
	t.Helper()
	for _, p := range payloads {
		more := map[string]any{}
		if n := q.filled.Add(1); strings.HasSuffix(q.name, fifo) {
			more["MessageDeduplicationId"], more["MessageGroupId"] = fmt.Sprint(n), fmt.Sprint("group-", n)
		}
		q.server.Send(t, q.name, string(p), more)
	}
}

func (q *queue) Dead(t testing.TB) (all [][]byte) {
	for _, m := range q.server.Peek(t, q.dead) {
		all = append(all, []byte(m.Body))
	}
	return all
}

func (q *queue) Left(t testing.TB) int { return q.server.Count(t, q.name) }

// TestTasks: the suite of all sources, on each kind of queue. moto takes the handle of
// an earlier delivery, and AWS may do so: that a stale worker changes nothing is the
// source's own doing, for it measures its lease.
func TestTasks(t *testing.T) {
	server := servers.StartSQS(t)
	for _, kind := range []struct {
		name, ending string
		policy       bool
	}{
		{"standard, redrive policy", "", true},
		{"standard, dead=", "", false},
		{"FIFO, redrive policy", fifo, true},
		{"FIFO, dead=", fifo, false},
	} {
		t.Run(kind.name, func(t *testing.T) {
			tasks.Run(t, tasks.Harness{
				New: func(t testing.TB) tasks.Queue { return newQueue(t, server, kind.ending, kind.policy) },
				Missing: func(t testing.TB, o task.Options) task.Source {
					return (&queue{server: server, address: server.Address, name: "nothing" + kind.ending}).open(t, o)
				},
				Lease:      2 * time.Second,
				Anyones:    true,
				Silent:     kind.policy,
				Text:       true,
				MaxPayload: 1 << 20,
			})
		})
	}
}
