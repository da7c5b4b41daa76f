// Command resume measures how soon the first new command starts where most items are done:
// of -n items all but -left. It puts nth run --each, with its progress in a directory and
// on MinIO, beside GNU parallel --resume with a --joblog of the same items. Those that are
// left are the last ones, or one in every so many. The programs take turns, so that a
// machine whose speed drifts is fair to all; a ratio is of a round.
//
//	go run ./testdata/bench/resume [-n 1000000] [-left 1000] [-rounds 3]
//
// What is done is written by the bench itself, as each of them would have written it: nth's
// document of progress is one that nth has begun.
//
// Debian: apt-get install parallel; where moreutils has /usr/bin/parallel, it is parallel.gnu.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// command tells when it began, and its item, and fails, which ends either program.
const command = "#!/bin/sh\necho $(date +%s%N) $1 >>\"$0.began\"\nexit 1\n"

// bench is what all programs are given.
type bench struct {
	nth, parallel, dir string
	script             string
	items, left        int
	lasts              bool // those that are left are the last ones
}

// peer is a program's way to go on.
type peer struct {
	name    string
	prepare func()
	argv    []string
	seconds []float64
}

func main() {
	n := flag.Int("n", 1_000_000, "items")
	left := flag.Int("left", 1000, "how many of them aren't done")
	rounds := flag.Int("rounds", 3, "rounds, of which the median counts")
	flag.Parse()
	var m harness.Machine
	defer m.End()
	b := &bench{items: *n, left: *left, dir: m.TempDir()}
	var err error
	b.nth, err = harness.Binary()
	check(err)
	m.Cleanup(func() { os.RemoveAll(filepath.Dir(b.nth)) })
	if b.parallel, err = exec.LookPath("parallel.gnu"); err != nil {
		b.parallel, err = exec.LookPath("parallel")
		check(err)
	}
	b.script = filepath.Join(b.dir, "command")
	check(os.WriteFile(b.script, []byte(command), 0o755))
	for _, e := range servers.S3Env() {
		name, value, _ := strings.Cut(e, "=")
		check(os.Setenv(name, value))
	}
	minio := servers.StartMinIO(&m)
	minio.Bucket(&m, "bench")
	fmt.Printf("%d items, of which %d are left: seconds to the first new command, minimum/median/maximum of %d rounds\n", *n, *left, *rounds)
	for _, b.lasts = range []bool{true, false} {
		peers := []*peer{b.ofNth("nth, file://", "file://"+b.dir+"/markers"), b.ofNth("nth, s3://", minio.URL("bench", "markers")), b.ofParallel()}
		for range *rounds {
			for _, p := range peers {
				p.seconds = append(p.seconds, b.first(p))
			}
		}
		b.report(peers)
	}
}

func (b *bench) report(peers []*peer) {
	fmt.Println(map[bool]string{true: "the last ones are left", false: "one in every so many is left"}[b.lasts])
	theirs := peers[len(peers)-1]
	for _, p := range peers {
		var ratios []float64
		for i, s := range p.seconds {
			ratios = append(ratios, theirs.seconds[i]/s)
		}
		fmt.Printf("  %-14s %8.3f/%.3f/%.3f   parallel takes %6.1f times as long\n", p.name, slices.Min(p.seconds), median(p.seconds), slices.Max(p.seconds), median(ratios))
	}
}

// isLeft tells whether an item isn't done.
func (b *bench) isLeft(item int) bool {
	if b.lasts {
		return item >= b.items-b.left
	}
	return item%(b.items/b.left) == 0
}

func (b *bench) ofNth(name, markers string) *peer {
	argv := []string{b.nth, "run", "--log-level=error", "--index=0", "--completions=1", "--each", "--jobs=1", "--items=" + strconv.Itoa(b.items), "--markers=" + markers, "--", b.script, "<<.Item>>"}
	run(argv) // its first item fails, and it says so in its document
	s, err := store.Open(context.Background(), markers)
	check(err)
	var p marker.Progress
	var keys []string
	list := func(key string, _ int64, _ time.Time) error { keys = append(keys, key); return nil }
	check(s.List(context.Background(), "progress/", list))
	body, _, err := s.Read(context.Background(), keys[0])
	check(err)
	check(json.Unmarshal(body, &p))
	p.Failed, p.Done = identity.List{}, identity.List{}
	for i := range b.items {
		if !b.isLeft(i) {
			p.Done.Add(int64(i), b.items)
		}
	}
	body, err = p.Encode()
	check(err)
	return &peer{name: name, argv: argv, prepare: func() {
		keys = nil
		check(s.List(context.Background(), "", list))
		for _, key := range keys {
			check(s.Remove(context.Background(), key))
		}
		check(s.Put(context.Background(), marker.ProgressKey(0, p.RunID), body))
	}}
}

// ofParallel is GNU parallel's, which counts its jobs from 1.
func (b *bench) ofParallel() *peer {
	joblog, items := filepath.Join(b.dir, "joblog"), filepath.Join(b.dir, "items")
	var done, all bytes.Buffer
	fmt.Fprintln(&done, "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand")
	for i := range b.items {
		fmt.Fprintln(&all, i)
		if !b.isLeft(i) {
			fmt.Fprintf(&done, "%d\t:\t1767225600.000\t     0.002\t0\t0\t0\t0\t%s %d\n", i+1, b.script, i)
		}
	}
	check(os.WriteFile(items, all.Bytes(), 0o666))
	return &peer{name: "GNU parallel", prepare: func() { check(os.WriteFile(joblog, done.Bytes(), 0o666)) },
		argv: []string{b.parallel, "--will-cite", "--resume", "--joblog", joblog, "-j1", "--halt", "now,fail=1", "-a", items, b.script}}
}

// first gives the seconds from a program's start to that of its first command.
func (b *bench) first(p *peer) float64 {
	p.prepare()
	check(os.RemoveAll(b.script + ".began"))
	began := time.Now()
	run(p.argv)
	f, err := os.Open(b.script + ".began")
	check(err)
	defer f.Close()
	var nanos int64
	var item int
	_, err = fmt.Fscan(f, &nanos, &item)
	check(err)
	if !b.isLeft(item) {
		log.Panicf("%s began with item %d, which was done", p.name, item)
	}
	return time.Unix(0, nanos).Sub(began).Seconds()
}

// run runs a program whose command fails.
func run(argv []string) {
	cmd := exec.Command(argv[0], argv[1:]...)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		log.Panicf("%s: %v, not exit code 1: %s", argv, err, out)
	}
}

func median(v []float64) float64 { return slices.Sorted(slices.Values(v))[len(v)/2] }

func check(err error) {
	if err != nil {
		log.Panic(err) // what was started is stopped
	}
}
