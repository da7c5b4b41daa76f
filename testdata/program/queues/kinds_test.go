//go:build linux

package queues

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lib/pq"

	"nth/shim/task/mysql"
	"nth/shim/task/postgres"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// queueKinds are the queues that must all serve workers alike.
var queueKinds = []struct {
	name  string
	start func(t *testing.T) *filledQueue
}{
	{"redis", func(t *testing.T) *filledQueue {
		r := servers.StartRedis(t, "requirepass redis-canary")
		return &filledQueue{flags: []string{"--tasks=redis://:redis-canary@" + r.Address + "/0?queue=q"},
			fill: func(payloads ...string) { program.QueueOf(t, r, "q", payloads...) },
			left: func() int {
				waiting, dead := program.Left(t, r, "q")
				return int(waiting + dead)
			}, dead: func() int {
				_, dead := program.Left(t, r, "q")
				return int(dead)
			}, address: r.Address}
	}},
	{"redis stream", func(t *testing.T) *filledQueue {
		r := servers.StartRedis(t, "requirepass redis-canary")
		r.Do(t, "XGROUP", "CREATE", "q", "g", 0, "MKSTREAM")
		dead := func() int { return int(r.Do(t, "XLEN", "{q}:nth:dead").(int64)) }
		return &filledQueue{flags: []string{"--tasks=redis://:redis-canary@" + r.Address + "/0?stream=q&group=g"},
			fill: func(payloads ...string) { r.Each(t, payloads, "XADD", "q", "*", "payload") },
			left: func() int {
				n := dead()
				group := r.Do(t, "XINFO", "GROUPS", "q").([]any)[0].([]any)
				for i := 0; i < len(group); i += 2 {
					if name := string(group[i].([]byte)); name == "pending" || name == "lag" {
						n += int(group[i+1].(int64))
					}
				}
				return n
			}, dead: dead, address: r.Address}
	}},
	{"postgres", func(t *testing.T) *filledQueue {
		p := servers.StartPostgres(t)
		p.Exec(t, postgres.Schema)
		return &filledQueue{flags: []string{"--tasks=" + p.URL("")},
			fill: func(payloads ...string) {
				var all pq.ByteaArray
				for _, payload := range payloads {
					all = append(all, []byte(payload))
				}
				p.Exec(t, "INSERT INTO nth_tasks (payload) SELECT unnest($1::bytea[])", all)
			},
			left: func() int { return p.Rows(t, "nth_tasks WHERE state <> 'done'") },
			dead: func() int { return p.Rows(t, "nth_tasks WHERE state = 'dead'") }, address: p.Address}
	}},
	{"mariadb", func(t *testing.T) *filledQueue {
		m := servers.StartMariaDB(t)
		m.Exec(t, mysql.Schema)
		return &filledQueue{flags: []string{"--tasks=" + m.URL("")},
			fill: func(payloads ...string) {
				for _, payload := range payloads {
					m.Exec(t, "INSERT INTO nth_tasks (payload) VALUES (?)", []byte(payload))
				}
			},
			left: func() int { return m.Rows(t, "nth_tasks WHERE state <> 'done'") },
			dead: func() int { return m.Rows(t, "nth_tasks WHERE state = 'dead'") }, address: m.Address}
	}},
	{"postgres, own statements, pooler", func(t *testing.T) *filledQueue {
		p := servers.StartPostgres(t)
		b := servers.StartPgBouncer(t, p)
		schema, statements := servers.Jobs(t)
		p.Exec(t, schema)
		flags := []string{"--tasks=" + b.URL("&queue=jobs")}
		for flag, sql := range statements {
			flags = append(flags, flag+"="+sql)
		}
		return &filledQueue{flags: flags,
			fill: func(payloads ...string) {
				p.Exec(t, "INSERT INTO jobs (body) SELECT jsonb_build_object('text', payload) FROM unnest($1::text[]) AS payload", pq.Array(payloads))
			},
			left: func() int { return p.Rows(t, "jobs WHERE status <> 'finished'") },
			dead: func() int { return p.Rows(t, "jobs WHERE status = 'broken'") }, address: b.Address, text: true, silent: true}
	}},
	{"mariadb, own statements", func(t *testing.T) *filledQueue {
		m := servers.StartMariaDB(t)
		schema, statements := servers.MariaJobs(t)
		m.Exec(t, schema)
		flags := []string{"--tasks=" + m.URL("&queue=jobs")}
		for flag, sql := range statements {
			flags = append(flags, flag+"="+sql)
		}
		return &filledQueue{flags: flags,
			fill: func(payloads ...string) {
				for _, payload := range payloads {
					m.Exec(t, "INSERT INTO jobs (body) VALUES (json_object('text', convert(? USING utf8mb4)))", payload)
				}
			},
			left: func() int { return m.Rows(t, "jobs WHERE status <> 'finished'") },
			dead: func() int { return m.Rows(t, "jobs WHERE status = 'broken'") }, address: m.Address, text: true, silent: true}
	}},
	{"http", func(t *testing.T) *filledQueue {
		a := servers.StartTasksAPI(t)
		a.Queue("q")
		return &filledQueue{flags: []string{"--tasks=" + a.URL("q", "take"), "--keep-url=" + a.URL("q", "tasks/{id}/keep"), "--done-url=" + a.URL("q", "tasks/{id}/done"),
			"--fail-url=" + a.URL("q", "tasks/{id}/fail"), "--unfinished-url=" + a.URL("q", "unfinished?index=<<.Index>>"), `--http-header=Authorization=Bearer <<secret "TOKEN">>`},
			fill: func(payloads ...string) {
				for _, payload := range payloads {
					a.Fill("q", []byte(payload))
				}
			},
			left: func() int { return len(a.In("q", "ready", "leased", "dead")) },
			dead: func() int { return len(a.In("q", "dead")) }, address: a.Address, silent: true}
	}},
	// RabbitMQ's queue believes at once that it is empty, as its server has noticed each death.
	{"rabbitmq", func(t *testing.T) *filledQueue {
		r := servers.SharedRabbitMQ(t)
		q := fmt.Sprint("q-", queues.Add(1))
		r.Queue(t, q, true, nil)
		r.Queue(t, q+".dead", true, nil)
		return &filledQueue{flags: []string{"--tasks=" + r.URL("?queue="+q+"&dead="+q+".dead&settle=0s")},
			fill: func(payloads ...string) {
				var all [][]byte
				for _, payload := range payloads {
					all = append(all, []byte(payload))
				}
				r.Send(t, q, all...)
			},
			left: func() int { return r.Settled(t, q) + r.Left(t, q+".dead") },
			dead: func() int { return r.Left(t, q+".dead") }, address: r.Address, tied: true}
	}},
	// SQS can't tell whose a task is: a worker leaves when the queue has been empty for
	// three minutes, or here at once, as this server counts well.
	{"sqs", func(t *testing.T) *filledQueue {
		s := servers.StartSQS(t)
		s.Queue(t, "q", nil)
		s.Queue(t, "dead", nil)
		return &filledQueue{flags: []string{"--tasks=" + s.URL(s.Address, "q") + "&dead=dead&settle=0s"},
			fill: func(payloads ...string) { s.SendAll(t, "q", payloads...) },
			left: func() int { return s.Count(t, "q") + s.Count(t, "dead") },
			dead: func() int { return s.Count(t, "dead") }, address: s.Address, patient: true, most: 80, text: true}
	}},
}

// queues counts those of servers that tests have in common.
var queues atomic.Int64

// filledQueue is a queue on a server of the test's.
type filledQueue struct {
	flags []string // of nth
	fill  func(payloads ...string)
	left  func() int // tasks that aren't done, dead ones too
	dead  func() int

	address string // of the server, as it stands in the flags
	patient bool   // it can't tell whose a task is: each worker stays until all are done
	most    int    // tasks at once, as each makes its server slower; 0: any number
	silent  bool   // its server, not nth, counts the workers that died
	text    bool   // it takes text alone, and no long one
	tied    bool   // a task is its worker's as long as that has its connection
}

// TestQueues: from each kind of queue, every task is done once; without a marker's
// help, and then with it.
func TestQueues(t *testing.T) {
	for _, kind := range queueKinds {
		t.Run(kind.name, func(t *testing.T) {
			q := kind.start(t)
			q.fill("a", `{"n": 2}`, "c d")
			args := append(append([]string{"run", "--markers=file://" + t.TempDir() + "/markers"}, q.flags...), "--", "echo", "<<.Task>>")
			stdout, stderr, code := program.Nth(t, append(program.Secrets, "JOB_COMPLETION_INDEX=0"), args...)
			if code != 0 || strings.Contains(stderr, "canary") {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			lines := strings.Split(strings.TrimSpace(stdout), "\n")
			slices.Sort(lines) // SQS has no order
			if diff := cmp.Diff([]string{"a", "c d", `{"n": 2}`}, lines); diff != "" || q.left() != 0 {
				t.Errorf("%d left; stdout (-want +got):\n%s", q.left(), diff)
			}
		})
	}
}

// TestPlainAPI: an API needs no more than a place to keep and to acknowledge a task.
func TestPlainAPI(t *testing.T) {
	a := servers.StartTasksAPI(t)
	a.Queue("q")
	a.Fill("q", []byte("x"))
	stdout, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, "run", "--tasks", a.URL("q", "take"), "--keep-url", a.URL("q", "tasks/{id}/keep"),
		"--done-url", a.URL("q", "tasks/{id}/done"), "--", "echo", "<<.Task>>")
	if code != 0 || stdout != "x\n" || len(a.In("q", "done")) != 1 {
		t.Errorf("exit code %d, %q: %s", code, stdout, stderr)
	}
	if _, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, "run", "--tasks", a.URL("q", "take"), "--done-url", a.URL("q", "tasks/{id}/done"), "--", "true"); code != 64 || !strings.Contains(stderr, "--keep-url") {
		t.Errorf("without --keep-url: exit code %d: %s", code, stderr)
	}
}
