// Command queue measures how many tasks a second a worker does: nth run --jobs with a marker for
// each, of a Redis list, a table of PostgreSQL and an HTTP API, beside nth run --each of as many
// items with its checkpoints, and as many Python loops as jobs, which keep no lease and record
// nothing. The programs take turns, so that a machine whose speed drifts is fair to all.
//
//	go run ./testdata/bench/queue [-n 10000] [-jobs 2] [-rounds 5] [-command true] [-against NTH]
//
// The least, the median and the most of the rounds are printed.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"nth/shim/task/postgres"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// bench is what all programs are given.
type bench struct {
	dir     string
	n, jobs int
	command []string
	redis   *servers.Redis
	table   *servers.Postgres
	api     *servers.TasksAPI
	filled  int
	m       harness.Machine
}

// peer is one way to do all of them.
type peer struct {
	name string
	fill func()
	run  func()
	took []time.Duration
}

func main() {
	n := flag.Int("n", 10_000, "tasks")
	jobs := flag.Int("jobs", 2, "at the same time")
	rounds := flag.Int("rounds", 5, "of each, in turn")
	command := flag.String("command", "true", "the command of each, with spaces between its words")
	against := flag.String("against", "", "another nth, beside this one")
	only := flag.String("only", "", "peers whose name has this in it")
	flag.Parse()
	b := &bench{n: *n, jobs: *jobs, command: strings.Fields(*command)}
	defer b.m.End()
	b.dir = b.m.TempDir()
	nth, err := harness.Binary()
	check(err)
	b.redis, b.table, b.api = servers.StartRedis(&b.m), servers.StartPostgres(&b.m), servers.StartTasksAPI(&b.m)
	b.table.Exec(&b.m, postgres.Schema)
	peers := b.peers("", nth)
	if *against != "" {
		peers = append(peers, b.peers(" of "+*against, *against)...)
	}
	peers = slices.DeleteFunc(peers, func(p *peer) bool { return !strings.Contains(p.name, *only) })
	for range *rounds {
		for _, p := range peers {
			if p.fill != nil {
				p.fill()
			}
			began := time.Now()
			p.run()
			p.took = append(p.took, time.Since(began))
		}
	}
	first := median(peers[0].took)
	for _, p := range peers {
		slices.Sort(p.took)
		m := median(p.took)
		fmt.Printf("%-28s %8.2f %8.2f %8.2f s   %7.0f tasks/s   %5.2f of the first's rate\n", p.name, p.took[0].Seconds(), m.Seconds(), p.took[len(p.took)-1].Seconds(),
			float64(b.n)/m.Seconds(), first.Seconds()/m.Seconds())
	}
}

// peers are nth's ways, and the loops.
func (b *bench) peers(more, nth string) []*peer {
	host, port, _ := net.SplitHostPort(b.redis.Address)
	list := []*peer{
		{name: "each" + more, run: func() {
			b.nth(nth, "--completions=1", "--each", "--items="+strconv.Itoa(b.n), "--markers=file://"+b.markers())
		}},
		{name: "redis" + more, fill: b.fillRedis, run: func() {
			b.nth(nth, "--markers=file://"+b.markers(), "--tasks=redis://"+b.redis.Address+"/0?queue=q")
		}},
		{name: "postgres" + more, fill: b.fillTable, run: func() { b.nth(nth, "--markers=file://"+b.markers(), "--tasks="+b.table.URL("")) }},
		{name: "http" + more, fill: b.fillAPI, run: func() {
			q := fmt.Sprint("q", b.filled)
			b.nth(nth, "--markers=file://"+b.markers(), "--tasks="+b.api.URL(q, "take"), "--keep-url="+b.api.URL(q, "tasks/{id}/keep"), "--done-url="+b.api.URL(q, "tasks/{id}/done"))
		}},
	}
	if more != "" {
		return list
	}
	return append(list, &peer{name: "python loops on redis", fill: b.fillRedis, run: func() {
		var group sync.WaitGroup
		for range b.jobs {
			group.Go(func() {
				loop := filepath.Join(harness.Root(), "testdata/bench/queue/loop.py")
				check(exec.Command("python3", append([]string{loop, host, port, "q"}, b.command...)...).Run())
			})
		}
		group.Wait()
	}})
}

func (b *bench) nth(nth string, flags ...string) {
	args := append([]string{"run", "--index=0", "--log-level=error", "--jobs=" + strconv.Itoa(b.jobs)}, flags...)
	cmd := exec.Command(nth, append(append(args, "--"), b.command...)...)
	cmd.Env, cmd.Stderr = []string{"PATH=" + os.Getenv("PATH")}, os.Stderr
	check(cmd.Run())
}

// markers gives a directory that is empty.
func (b *bench) markers() string {
	dir, err := os.MkdirTemp(b.dir, "markers")
	check(err)
	return dir
}

func (b *bench) fillRedis() {
	b.redis.Do(&b.m, "FLUSHALL")
	var all []string
	for i := range b.n {
		all = append(all, strconv.Itoa(i))
	}
	b.redis.Each(&b.m, all, "RPUSH", "q")
}

func (b *bench) fillTable() {
	b.table.Exec(&b.m, "TRUNCATE nth_tasks; INSERT INTO nth_tasks (payload) SELECT convert_to(n::text, 'UTF8') FROM generate_series(1, "+strconv.Itoa(b.n)+") AS n; ANALYZE nth_tasks")
}

func (b *bench) fillAPI() {
	b.filled++
	q := fmt.Sprint("q", b.filled)
	b.api.Queue(q)
	for i := range b.n {
		b.api.Fill(q, []byte(strconv.Itoa(i)))
	}
}

func median(all []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(all))
	return s[len(s)/2]
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}
