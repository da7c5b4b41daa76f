// Package resume measures how soon the first new command starts where most items are done:
// of a million items all but a thousand. It puts nth run --each, with its progress in a
// directory and on MinIO, beside GNU parallel --resume with a --joblog of the same items.
// Those that are left are the last ones, or one in every so many.
//
// What is done is written by the bench itself, as each of them would have written it: nth's
// document of progress is one that nth has begun.
package resume

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/testdata/bench/rounds"
	"nth/testdata/servers"
)

// Subject is this one.
var Subject = rounds.Subject{
	Name: "resume", About: "the first new command where nearly all items are done, beside GNU parallel --resume",
	Needs: []string{"parallel (apt-get install parallel)", "minio (./testdata/test store installs it)"}, Measure: measure,
}

// items are all there are, of which one in part is left.
const (
	items = 1_000_000
	part  = 1000
)

// command tells when it began, and its item, and fails, which ends either program.
const command = "#!/bin/sh\necho $(date +%s%N) $1 >>\"$0.began\"\nexit 1\n"

// bench is what all programs are given.
type bench struct {
	*rounds.Bench
	dir, script string
	items, left int
	lasts       bool // those that are left are the last ones
}

func measure(r *rounds.Bench) {
	n := r.Items(items)
	b := &bench{Bench: r, items: n, left: max(1, n/part), dir: r.TempDir()}
	b.script = filepath.Join(b.dir, "command")
	rounds.Check(os.WriteFile(b.script, []byte(command), 0o755))
	minio := servers.StartMinIO(r)
	minio.Bucket(r, "bench")
	for _, b.lasts = range []bool{true, false} {
		which := map[bool]string{true: "the last ones", false: "one in every so many"}[b.lasts]
		r.Measure(rounds.Table{
			Title:   fmt.Sprintf("to the first new command of %s items, of which %s are left, %s", rounds.Count(n), rounds.Count(b.left), which),
			Columns: []rounds.Column{{Name: "s", Digits: 3}},
			Ways:    []rounds.Way{b.ofNth("nth, file://", "file://"+b.dir+"/markers"), b.ofNth("nth, s3://", minio.URL("bench", "markers")), b.ofParallel()},
		})
	}
}

// isLeft tells whether an item isn't done.
func (b *bench) isLeft(item int) bool {
	if b.lasts {
		return item >= b.items-b.left
	}
	return item%(b.items/b.left) == 0
}

func (b *bench) ofNth(name, markers string) rounds.Way {
	argv := []string{b.Nth, "run", "--log-level=error", "--index=0", "--completions=1", "--each", "--jobs=1", "--items=" + strconv.Itoa(b.items), "--markers=" + markers, "--", b.script, "<<.Item>>"}
	run(argv) // its first item fails, and it says so in its document
	s, err := store.Open(context.Background(), markers)
	rounds.Check(err)
	var p marker.Progress
	var keys []string
	list := func(key string, _ int64, _ time.Time) error { keys = append(keys, key); return nil }
	rounds.Check(s.List(context.Background(), "progress/", list))
	body, _, err := s.Read(context.Background(), keys[0])
	rounds.Check(err)
	rounds.Check(json.Unmarshal(body, &p))
	p.Failed, p.Done = identity.List{}, identity.List{}
	for i := range b.items {
		if !b.isLeft(i) {
			p.Done.Add(int64(i), b.items)
		}
	}
	body, err = p.Encode()
	rounds.Check(err)
	return rounds.Way{Name: name, Nth: true, Do: func(nth string) rounds.Sample {
		keys = nil
		rounds.Check(s.List(context.Background(), "", list))
		for _, key := range keys {
			rounds.Check(s.Remove(context.Background(), key))
		}
		rounds.Check(s.Put(context.Background(), marker.ProgressKey(0, p.RunID), body))
		return b.first(append([]string{nth}, argv[1:]...))
	}}
}

// ofParallel is GNU parallel's, which counts its jobs from 1.
func (b *bench) ofParallel() rounds.Way {
	joblog, items := filepath.Join(b.dir, "joblog"), filepath.Join(b.dir, "items")
	var done, all bytes.Buffer
	fmt.Fprintln(&done, "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand")
	for i := range b.items {
		fmt.Fprintln(&all, i)
		if !b.isLeft(i) {
			fmt.Fprintf(&done, "%d\t:\t1767225600.000\t     0.002\t0\t0\t0\t0\t%s %d\n", i+1, b.script, i)
		}
	}
	rounds.Check(os.WriteFile(items, all.Bytes(), 0o666))
	argv := []string{rounds.GNUParallel(), "--will-cite", "--resume", "--joblog", joblog, "-j1", "--halt", "now,fail=1", "-a", items, b.script}
	return rounds.Way{Name: "GNU parallel", Do: func(string) rounds.Sample {
		rounds.Check(os.WriteFile(joblog, done.Bytes(), 0o666))
		return b.first(argv)
	}}
}

// first gives the seconds from a program's start to that of its first command, which fails.
func (b *bench) first(argv []string) rounds.Sample {
	rounds.Check(os.RemoveAll(b.script + ".began"))
	began := time.Now()
	run(argv)
	f, err := os.Open(b.script + ".began")
	rounds.Check(err)
	defer f.Close()
	var nanos int64
	var item int
	_, err = fmt.Fscan(f, &nanos, &item)
	rounds.Check(err)
	if !b.isLeft(item) {
		log.Panicf("%s began with item %d, which was done", argv[0], item)
	}
	return rounds.Sample{"s": time.Unix(0, nanos).Sub(began).Seconds()}
}

// run runs a program whose command fails.
func run(argv []string) { rounds.Command{Argv: argv, Codes: []int{1}}.Run() }
