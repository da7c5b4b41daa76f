//go:build linux

package queues

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lib/pq"

	"nth/shim/task/mysql"
	"nth/shim/task/postgres"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// evaluated is what Redis tells of the scripts that it ran.
var evaluated = regexp.MustCompile(`cmdstat_eval(?:sha)?:calls=(\d+)`)

// counted are queues whose server tells how often it was asked: by scripts, statements or
// requests.
var counted = []struct {
	name  string
	start func(t *testing.T, payloads []string) (flags []string, asked func(least int) int)
}{
	{"redis", func(t *testing.T, payloads []string) ([]string, func(int) int) {
		r := servers.StartRedis(t)
		return []string{"--tasks=" + program.QueueOf(t, r, "q", payloads...)}, func(int) (n int) {
			stats, _ := r.Do(t, "INFO", "commandstats").([]byte)
			for _, calls := range evaluated.FindAllSubmatch(stats, -1) {
				one, _ := strconv.Atoi(string(calls[1]))
				n += one
			}
			return n
		}
	}},
	{"postgres", func(t *testing.T, payloads []string) ([]string, func(int) int) {
		p := servers.StartPostgres(t)
		p.Exec(t, postgres.Schema)
		p.Exec(t, "INSERT INTO nth_tasks (payload) SELECT convert_to(task, 'UTF8') FROM unnest($1::text[]) AS task", pq.Array(payloads))
		written := func() int { // by statements that changed a row, one each
			return p.Rows(t, "generate_series(1, (SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'nth_tasks'))")
		}
		return []string{"--tasks=" + p.URL("")}, func(least int) int {
			harness.Await(t, func() bool { return written() >= least }, func() string { return fmt.Sprint(written(), " updates") })
			return written()
		}
	}},
	{"rabbitmq", func(t *testing.T, payloads []string) ([]string, func(int) int) {
		r, q := servers.SharedRabbitMQ(t), fmt.Sprint("trips-", queues.Add(1))
		r.Queue(t, q, false, nil)
		var all [][]byte
		for _, payload := range payloads {
			all = append(all, []byte(payload))
		}
		r.Send(t, q, all...)
		var n atomic.Int64
		l := overheard(t, r.Address, func(b []byte) { // each of these is waited for: basic.get, and basic.qos behind what was told
			n.Add(int64(bytes.Count(b, []byte("\x00\x3c\x00\x46")) + bytes.Count(b, []byte("\x00\x3c\x00\x0a"))))
		})
		return []string{"--tasks=" + strings.ReplaceAll(r.URL("?queue="+q+"&settle=0s"), r.Address, l.address)}, func(int) int { return int(n.Load()) }
	}},
	{"mariadb", func(t *testing.T, payloads []string) ([]string, func(int) int) {
		m := servers.StartMariaDB(t)
		m.Exec(t, mysql.Schema)
		for _, payload := range payloads {
			m.Exec(t, "INSERT INTO nth_tasks (payload) VALUES (?)", payload)
		}
		var n atomic.Int64
		l := overheard(t, m.Address, func(b []byte) { // the first packet of an exchange has the number 0, and a query the command 3
			if len(b) > 4 && b[3] == 0 && b[4] == 3 { // what is sent at once is one request, however many statements are in it
				n.Add(1)
			}
		})
		return []string{"--tasks=" + strings.Replace(m.URL(""), m.Address, l.address, 1)}, func(int) int { return int(n.Load()) }
	}},
	{"http", func(t *testing.T, payloads []string) ([]string, func(int) int) {
		a := servers.StartTasksAPI(t)
		a.Queue("q")
		for _, payload := range payloads {
			a.Fill("q", []byte(payload))
		}
		fault := servers.StartFault(t, a.Address, func(int, *http.Request) servers.Action { return nil })
		at := func(path string) string {
			return strings.Replace(a.URL("q", path), "http://"+a.Address, fault.URL, 1)
		}
		return []string{"--tasks=" + at("take"), "--keep-url=" + at("tasks/{id}/keep"), "--done-url=" + at("tasks/{id}/done")}, func(int) int { return len(fault.Requests()) }
	}},
}

// TestRoundTrips: of a task the server is asked twice, to give it and that it is done. What
// else there is doesn't grow with the tasks: each place finds once that there are none, and a
// server of scripts is told each once.
func TestRoundTrips(t *testing.T) {
	const tasks, more = 150, 30
	var payloads []string
	for i := range tasks {
		payloads = append(payloads, fmt.Sprint("task-", i))
	}
	for _, of := range counted {
		for _, jobs := range []string{"1", "4"} {
			t.Run(of.name+" "+jobs, func(t *testing.T) {
				t.Parallel()
				flags, asked := of.start(t, payloads)
				args := append([]string{"run", "--jobs=" + jobs, "--lease=10m", "--log-level=warn"}, flags...)
				if _, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, append(args, "--", "true")...); code != 0 {
					t.Fatalf("exit code %d: %s", code, stderr)
				}
				if n := asked(2 * tasks); n < 2*tasks || n > 2*tasks+more {
					t.Errorf("%d tasks, and it was asked %d times", tasks, n)
				}
			})
		}
	}
}
