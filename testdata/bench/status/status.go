// Package status measures nth status over many markers, half a percent of the indexes
// failed, on a real S3 server and on a directory; beside a client that sends the same
// requests and does nothing with the answers, awscli's listing of the same place, and find.
package status

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"nth/shim/store"
	"nth/testdata/bench/bare"
	"nth/testdata/bench/rounds"
	"nth/testdata/servers"
)

// Subject is this one.
var Subject = rounds.Subject{
	Name: "status", About: "nth status over many markers beside the bare requests, aws s3 ls and find",
	Needs: []string{"minio (./testdata/test status installs it)", "aws (pip install awscli)", "find (apt-get install findutils)"}, Measure: measure,
}

// markers are those that are listed.
const markers = 100_000

// writers is how many fill a store at the same time.
const writers = 32

// failed: it says that something has.
const failed = 1

func measure(b *rounds.Bench) {
	n := b.Items(markers)
	minio := servers.StartMinIO(b)
	minio.Bucket(b, "bench")
	var mu sync.Mutex
	var asked []string
	counted := servers.StartFault(b, minio.Address, func(_ int, r *http.Request) servers.Action {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.RequestURI())
		return nil
	})
	s3, dir := minio.URL("bench", "m"), b.TempDir()
	fill(s3, n)
	fill("file://"+dir, n)
	status := func(nth, url string) rounds.Sample {
		return rounds.Command{Argv: []string{nth, "status", "--completions", strconv.Itoa(n), "--store-wait=5m", "--store-timeout=5m", "--markers", url}, Codes: []int{failed}}.Run().Sample()
	}
	ls := func(address string) rounds.Sample {
		return rounds.Command{Argv: []string{"aws", "--endpoint-url", "http://" + address, "s3", "ls", "--recursive", "s3://bench/m/"}}.Run().Sample()
	}
	// Through the proxy: how many requests there are, and which.
	through := strings.TrimPrefix(counted.URL, "http://")
	requests := func(do func()) (uris []string) {
		begin := len(asked)
		do()
		mu.Lock()
		defer mu.Unlock()
		return asked[begin:]
	}
	uris := requests(func() { status(b.Nth, strings.Replace(s3, minio.Address, through, 1)) })
	same := b.Fresh()
	rounds.Check(os.WriteFile(same, []byte(strings.Join(uris, "\n")), 0o600))
	count := func(do func()) func(string) rounds.Sample {
		return func(string) rounds.Sample { return rounds.Sample{"requests": float64(len(requests(do)))} }
	}
	columns := []rounds.Column{rounds.Seconds, rounds.CPU, rounds.Peak, {Name: "requests"}}
	b.Measure(rounds.Table{
		Title: fmt.Sprintf("%s markers on S3", rounds.Count(n)), Columns: columns, Chart: true,
		Ways: []rounds.Way{
			{Name: "nth status", Nth: true, Do: func(nth string) rounds.Sample { return status(nth, s3) },
				Once: func(nth string) rounds.Sample {
					return count(func() { status(nth, strings.Replace(s3, minio.Address, through, 1)) })(nth)
				}},
			{Name: "the same requests alone", Do: func(string) rounds.Sample {
				return rounds.Command{Argv: bare.Requests(minio.Address, same)}.Run().Sample()
			},
				Once: func(string) rounds.Sample { return rounds.Sample{"requests": float64(len(uris))} }},
			{Name: "aws s3 ls --recursive", Do: func(string) rounds.Sample { return ls(minio.Address) }, Once: count(func() { ls(through) })},
		},
		Aims: []rounds.Aim{{Of: "nth status", Over: "the same requests alone", Times: 1.15}, {Of: "nth status", Over: "aws s3 ls --recursive", Times: 1.0 / 15}},
	})
	b.Measure(rounds.Table{
		Title: fmt.Sprintf("%s markers in a directory", rounds.Count(n)), Columns: columns[:3],
		Ways: []rounds.Way{
			{Name: "nth status", Nth: true, Do: func(nth string) rounds.Sample { return status(nth, "file://"+dir) }},
			{Name: "find -type f", Do: func(string) rounds.Sample {
				return rounds.Command{Argv: []string{"find", dir, "-type", "f"}}.Run().Sample()
			}},
		},
	})
}

// fill writes the markers and records of a Job of which every 200th index has failed.
func fill(url string, size int) {
	s, err := store.Open(context.Background(), url)
	rounds.Check(err)
	defer s.Close()
	next := make(chan int)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for i := range next {
				key, body := document(i)
				if dir, ok := strings.CutPrefix(url, "file://"); ok { // without syncing each
					path := filepath.Join(dir, key)
					rounds.Check(os.MkdirAll(filepath.Dir(path), 0o755))
					rounds.Check(os.WriteFile(path, body, 0o644))
					continue
				}
				for try := 0; ; try++ {
					if err = s.Put(context.Background(), key, body); err == nil {
						break
					} else if try == 5 {
						log.Panic(err)
					}
				}
			}
		})
	}
	for i := range size {
		next <- i
	}
	close(next)
	group.Wait()
}

// document gives what there is of an index: about as much as nth writes.
func document(i int) (key string, body []byte) {
	head := fmt.Sprintf(`{"version": 1, "job": "bench", "index": %d, "attempt": 1, "run_id": "20260101t000000z-%016x", "command": ["process", "/data/file_%d.txt"], "exit_code": `, i, i, i)
	if i%200 == 7 {
		return fmt.Sprintf("failed/%d.json", i), []byte(head + fmt.Sprintf(`3, "command_exit_code": 3, "failures": 2, "message": "nth: index %d: exit code 3", "stderr": "%s\nno space left on /scratch/%d\n"}`, i, strings.Repeat("a line of stderr\\n", 60), i))
	}
	return fmt.Sprintf("done/%d.json", i), []byte(head + `0, "source": "run", "outcome": "done", "duration_s": 1.5, "max_rss_bytes": 12345678}`)
}
