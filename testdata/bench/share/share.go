// Package share puts --each --share beside the same items in static blocks, and as tasks in
// Redis: 400 items of which the last tenth, as of a list in which the large files sort
// together, takes 20 times as long as the others, on four workers, of which the one that has
// those stands still for 10 s (SIGSTOP) in the middle of them. Markers are in an S3 server.
//
// Items only wait, so the ways of a round run at the same time.
package share

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"nth/testdata/bench/rounds"
	"nth/testdata/servers"
)

// Subject is this one.
var Subject = rounds.Subject{
	Name: "share", About: "--each --share beside static blocks and a queue, where one worker has what takes long",
	Needs: []string{"versitygw (./testdata/test shards installs it)", "redis-server (apt-get install redis-server)"}, Measure: measure,
}

// The Job.
const (
	items   = 400
	workers = 4
	long    = 40 // of the items, the last ones
	times   = 20 // as long as the others
)

// What a short item takes, and how long a worker stands still.
const (
	short  = 100 * time.Millisecond
	freeze = 10 * time.Second
)

func measure(r *rounds.Bench) {
	b := &bench{Bench: r, short: time.Duration(float64(short) * r.Scale), freeze: time.Duration(float64(freeze) * r.Scale), s3: servers.StartS3(r), redis: servers.StartRedis(r)}
	b.s3.Bucket(r, "bench")
	bound := b.short*(items-long+long*times)/workers + b.short*times
	t := rounds.Table{Title: fmt.Sprintf("%d items, %d of them %v and the others %v; a quarter of all and the longest are %.1f s", items, long, b.short*times, b.short, bound.Seconds()),
		Columns: []rounds.Column{rounds.Seconds}, Base: "--share", Together: true}
	for _, w := range ways {
		t.Ways = append(t.Ways, rounds.Way{Name: w.name, Nth: true, Do: func(nth string) rounds.Sample {
			return rounds.Sample{rounds.Seconds.Name: b.run(nth, w).Seconds()}
		}})
	}
	b.Measure(t)
}

// ways are how items come to workers.
var ways = []way{
	{"static blocks", []string{"--each", "--items=" + strconv.Itoa(items)}, "<<.Item>>"},
	{"--share", []string{"--each", "--share", "--items=" + strconv.Itoa(items)}, "<<.Item>>"},
	{"tasks in Redis", []string{"--tasks=QUEUE"}, "<<.Task>>"},
}

type way struct {
	name  string
	flags []string
	item  string
}

type bench struct {
	*rounds.Bench
	short, freeze time.Duration
	s3            *servers.S3
	redis         *servers.Redis
}

// run takes the time of a whole Job.
func (b *bench) run(nth string, w way) time.Duration {
	dir := b.TempDir()
	name := filepath.Base(dir)
	flags := slices.Clone(w.flags)
	if i := slices.Index(flags, "--tasks=QUEUE"); i >= 0 {
		payloads := make([]string, items)
		for n := range payloads {
			payloads[n] = strconv.Itoa(n)
		}
		b.redis.Each(b, payloads, "RPUSH", name)
		flags[i] = "--tasks=redis://" + b.redis.Address + "/0?queue=" + name + "&pop=left"
	}
	script := fmt.Sprintf(`n=%s; : >%s/$n; if [ $n -ge %d ]; then sleep %.3f; else sleep %.3f; fi; echo $n >>%s/out`,
		w.item, dir, items-long, (b.short * times).Seconds(), b.short.Seconds(), dir)
	var all sync.WaitGroup
	began, froze := time.Now(), make(chan struct{})
	for index := range workers {
		all.Go(func() {
			argv := slices.Concat([]string{"run", "--log-level=warn", fmt.Sprint("--index=", index), fmt.Sprint("--completions=", workers),
				"--markers=" + b.s3.URL("bench", name)}, flags, []string{"--", "sh", "-c", script})
			cmd := exec.Command(nth, argv...)
			cmd.Env, cmd.Stderr = append(os.Environ(), servers.S3Env()...), os.Stderr
			rounds.Check(cmd.Start())
			if index == workers-1 {
				go b.freezing(cmd, dir, froze)
			}
			rounds.Check(cmd.Wait())
		})
	}
	all.Wait()
	took := time.Since(began)
	<-froze
	b.once(name, dir)
	return took
}

// freezing lets a worker stand still, from when the long items have begun.
func (b *bench) freezing(cmd *exec.Cmd, dir string, done chan struct{}) {
	defer close(done)
	for {
		if _, err := os.Stat(fmt.Sprintf("%s/%d", dir, items-long+1)); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	rounds.Check(cmd.Process.Signal(syscall.SIGSTOP))
	time.Sleep(b.freeze)
	rounds.Check(cmd.Process.Signal(syscall.SIGCONT))
}

// once holds that each item has run, and once.
func (b *bench) once(name, dir string) {
	body, err := os.ReadFile(dir + "/out")
	rounds.Check(err)
	runs := map[string]int{}
	for _, item := range strings.Fields(string(body)) {
		runs[item]++
	}
	for n := range items {
		if k := runs[strconv.Itoa(n)]; k != 1 {
			log.Panicf("%s: item %d has run %d times", name, n, k)
		}
	}
}
