package redisstream_test

import (
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	redigo "github.com/gomodule/redigo/redis"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/redisstream"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// queue is a stream of a test's own.
type queue struct {
	server *servers.Redis
	name   string
	url    string
}

var queues atomic.Int64

// newQueue makes an empty stream without a group.
func newQueue(t testing.TB, server *servers.Redis) *queue {
	t.Helper()
	q := &queue{server: server, name: fmt.Sprint("stream_", queues.Add(1))}
	q.url = "redis://" + server.Address + "/0?group=g&stream=" + q.name
	server.Do(t, "XDEL", q.name, server.Do(t, "XADD", q.name, "*", "payload", ""))
	return q
}

func (q *queue) key(name string) string { return "{" + q.name + "}:nth:" + name }

func (q *queue) Open(t testing.TB, o task.Options) task.Source {
	t.Helper()
	return open(t, q.url, o)
}

func open(t testing.TB, address string, o task.Options) *redisstream.Source {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := redisstream.Open(u, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*redisstream.Source)
}

// worker opens a stream for a run of an index, with attempts and time enough.
func (q *queue) worker(t testing.TB, index int64, run string) *redisstream.Source {
	t.Helper()
	return open(t, q.url, task.Options{Index: index, RunID: run, Lease: time.Minute, MaxAttempts: 3})
}

// take takes a task that must be there.
func take(t testing.TB, s task.Source) *task.Task {
	t.Helper()
	got, err := s.Take(t.Context())
	if err != nil || got == nil {
		t.Fatalf("took %+v, %v", got, err)
	}
	return got
}

func (q *queue) Fill(t testing.TB, payloads ...[]byte) {
	t.Helper()
	for _, p := range payloads {
		q.server.Do(t, "XADD", q.name, "*", "payload", p)
	}
}

// entries gives those of a stream, each as its fields.
func (q *queue) entries(t testing.TB, key, from string) (all []map[string]string) {
	t.Helper()
	rows, err := redigo.Values(q.server.Do(t, "XRANGE", key, from, "+"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		fields, err := redigo.StringMap(row.([]any)[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fields)
	}
	return all
}

func (q *queue) Dead(t testing.TB) (payloads [][]byte) {
	t.Helper()
	for _, fields := range q.entries(t, q.key("dead"), "-") {
		payloads = append(payloads, []byte(fields["payload"]))
	}
	return payloads
}

// Left counts what is pending and what nobody has had; what is delayed is pending.
func (q *queue) Left(t testing.TB) int {
	t.Helper()
	pending, err := redigo.Values(q.server.Do(t, "XPENDING", q.name, "g", "-", "+", 100_000), nil)
	if err != nil {
		t.Fatal(err)
	}
	if delayed := q.server.Do(t, "ZCARD", q.key("due:g")).(int64); delayed > int64(len(pending)) {
		t.Errorf("%d are delayed, %d pending", delayed, len(pending))
	}
	group, err := redigo.StringMap(q.info(t, "GROUPS", q.name)[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	return len(pending) + len(q.entries(t, q.name, "("+group["last-delivered-id"]))
}

func (q *queue) info(t testing.TB, args ...any) []any {
	t.Helper()
	rows, err := redigo.Values(q.server.Do(t, "XINFO", args...), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		fields := row.([]any)
		for j, v := range fields {
			fields[j] = []byte(fmt.Sprintf("%s", v))
			if n, ok := v.(int64); ok {
				fields[j] = fmt.Append(nil, n)
			}
		}
		rows[i] = fields
	}
	return rows
}

const ok = contract.Kind(-1)

func kind(err error) contract.Kind {
	if err == nil {
		return ok
	}
	if e, is := errors.AsType[*contract.Error](err); is {
		return e.Kind
	}
	return -2
}

func TestSuite(t *testing.T) {
	server := servers.StartRedis(t)
	tasks.Run(t, tasks.Harness{
		Lease: time.Second,
		New:   func(t testing.TB) tasks.Queue { return newQueue(t, server) },
		Missing: func(t testing.TB, o task.Options) task.Source {
			return open(t, "redis://"+server.Address+"?stream=missing&group=g", o)
		},
	})
}
