// Command share puts --each --share beside the same items in static blocks, and as tasks in
// Redis: 400 items of which the last tenth, as of a list in which the large files sort
// together, takes 20 times as long as the others, on four workers, of which the one that has
// those stands still for 10 s (SIGSTOP) in the middle of them.
//
//	go run ./testdata/bench/share [-rounds 3] [-short 100ms] [-freeze 10s]
//
// Items only wait, so the three ways of a round run at the same time. Markers are in an S3
// server (versitygw); Debian's redis-server is needed too.
package main

import (
	"cmp"
	"flag"
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

	"nth/testdata/harness"
	"nth/testdata/servers"
)

// The Job.
const (
	items   = 400
	workers = 4
	long    = 40 // of the items, the last ones
	times   = 20 // as long as the others
)

func main() {
	rounds := flag.Int("rounds", 3, "rounds")
	short := flag.Duration("short", 100*time.Millisecond, "what a short item takes")
	freeze := flag.Duration("freeze", 10*time.Second, "how long a worker stands still")
	flag.Parse()
	var m harness.Machine
	defer m.End()
	nth, err := harness.Binary()
	check(err)
	defer os.RemoveAll(filepath.Dir(nth))
	b := &bench{m: &m, nth: nth, short: *short, freeze: *freeze, s3: servers.StartS3(&m), redis: servers.StartRedis(&m)}
	b.s3.Bucket(&m, "bench")
	sum := *short * (items - long + long*times)
	bound := sum/workers + *short*times
	fmt.Printf("%d items, %d of them %v and the others %v: a quarter of all and the longest are %.1f s\n", items, long, *short*times, *short, bound.Seconds())
	took := make([][]float64, len(ways))
	for round := range *rounds {
		var all sync.WaitGroup
		for w := range ways {
			took[w] = append(took[w], 0)
			all.Go(func() { took[w][round] = b.run(w, round).Seconds() })
		}
		all.Wait()
		fmt.Printf("round %d:", round+1)
		for w := range ways {
			fmt.Printf(" %s %.1f s,", ways[w].name, took[w][round])
		}
		fmt.Println()
	}
	static, share, redis := middle(took[0]), middle(took[1]), middle(took[2])
	fmt.Printf("medians: --share %.1f s, which is %.2f x (a quarter and the longest), %.2f x as fast as static blocks (%.1f s), %.2f x the time with Redis (%.1f s)\n",
		share, share/bound.Seconds(), static/share, static, share/redis, redis)
}

// ways are how items come to workers.
var ways = []struct {
	name  string
	flags []string
	item  string
}{
	{"static", []string{"--each", "--items=" + strconv.Itoa(items)}, "<<.Item>>"},
	{"share", []string{"--each", "--share", "--items=" + strconv.Itoa(items)}, "<<.Item>>"},
	{"redis", []string{"--tasks=QUEUE"}, "<<.Task>>"},
}

type bench struct {
	m             *harness.Machine
	nth           string
	short, freeze time.Duration
	s3            *servers.S3
	redis         *servers.Redis
}

// run takes the time of a whole Job.
func (b *bench) run(way, round int) time.Duration {
	name := fmt.Sprintf("%s-%d", ways[way].name, round)
	dir := b.m.TempDir()
	flags := slices.Clone(ways[way].flags)
	if i := slices.Index(flags, "--tasks=QUEUE"); i >= 0 {
		payloads := make([]string, items)
		for n := range payloads {
			payloads[n] = strconv.Itoa(n)
		}
		b.redis.Each(b.m, payloads, "RPUSH", name)
		flags[i] = "--tasks=redis://" + b.redis.Address + "/0?queue=" + name + "&pop=left"
	}
	script := fmt.Sprintf(`n=%s; : >%s/$n; if [ $n -ge %d ]; then sleep %.3f; else sleep %.3f; fi; echo $n >>%s/out`,
		ways[way].item, dir, items-long, (b.short * times).Seconds(), b.short.Seconds(), dir)
	var all sync.WaitGroup
	began, froze := time.Now(), make(chan struct{})
	for index := range workers {
		all.Go(func() {
			argv := slices.Concat([]string{"run", "--log-level=warn", fmt.Sprint("--index=", index), fmt.Sprint("--completions=", workers),
				"--markers=" + b.s3.URL("bench", name)}, flags, []string{"--", "sh", "-c", script})
			cmd := exec.Command(b.nth, argv...)
			cmd.Env, cmd.Stderr = append(os.Environ(), servers.S3Env()...), os.Stderr
			check(cmd.Start())
			if index == workers-1 {
				go b.freezing(cmd, dir, froze)
			}
			check(cmd.Wait())
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
	check(cmd.Process.Signal(syscall.SIGSTOP))
	time.Sleep(b.freeze)
	check(cmd.Process.Signal(syscall.SIGCONT))
}

// once holds that each item has run, and once.
func (b *bench) once(name, dir string) {
	body, err := os.ReadFile(dir + "/out")
	check(err)
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

func middle[T cmp.Ordered](v []T) T { return slices.Sorted(slices.Values(v))[len(v)/2] }

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}
