// Command status measures nth status over 1,000, 10,000 and 100,000 markers, half a
// percent of the indexes failed, beside awscli's listing of the same place in one run, and
// beside its own requests, sent again by who reads nothing of the answers: requests, time,
// and the peak of the process's memory; on a real S3 server and on a directory, and before a
// server that makes up its listings, which can have a million.
//
//	go run ./testdata/bench/status [-least 1000] [-most 100000] [-madeup 1000000] [-n 5] [-aws PATH]
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// writers is how many fill a store at the same time.
const writers = 32

func main() {
	least := flag.Int("least", 1000, "the fewest markers")
	most := flag.Int("most", 100_000, "the most markers")
	madeUp := flag.Int("madeup", 1_000_000, "markers that are made up; 0: none")
	n := flag.Int("n", 5, "runs of each, of which the median counts")
	awscli := flag.String("aws", "aws", "the program aws")
	flag.Parse()
	var m harness.Machine
	defer m.End()
	nth, err := harness.Binary()
	check(err)
	m.Cleanup(func() { os.RemoveAll(filepath.Dir(nth)) })
	aws, err := exec.LookPath(*awscli)
	if err != nil {
		log.Panicf("%v: pip install awscli, or -aws PATH", err)
	}
	minio := servers.StartMinIO(&m)
	minio.Bucket(&m, "bench")
	counted := count(&m, minio.Address)
	for _, e := range servers.S3Env() {
		name, value, _ := strings.Cut(e, "=")
		check(os.Setenv(name, value))
	}
	env := append(os.Environ(), "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
	fmt.Printf("%-10s%-28s%10s%10s%10s%12s\n", "markers", "", "requests", "s", "CPU s", "peak MB")
	for size := *least; size <= *most; size *= 10 {
		prefix, dir := fmt.Sprintf("m%d", size), m.TempDir()
		s3 := minio.URL("bench", prefix)
		fill(s3, size)
		fill("file://"+dir, size)
		through := strings.Replace(s3, minio.Address, strings.TrimPrefix(counted.URL, "http://"), 1)
		status := func(url string) []string {
			return []string{nth, "status", "--completions", fmt.Sprint(size), "--store-wait=5m", "--store-timeout=5m", "--markers", url}
		}
		ls := func(endpoint string) []string {
			return []string{aws, "--endpoint-url", endpoint, "s3", "ls", "--recursive", "s3://bench/" + prefix + "/"}
		}
		for _, p := range []struct {
			name           string
			count, command []string
		}{
			{"nth status, s3://", status(through), status(s3)},
			{"aws s3 ls --recursive", ls(counted.URL), ls("http://" + minio.Address)},
			{"nth status, file://", nil, status("file://" + dir)},
		} {
			var asked []string
			if p.count != nil {
				run(p.count, env)
				asked = counted.take()
			}
			wall, cpu, peak := median(*n, p.command, env)
			row(size, p.name, len(asked), wall, cpu, peak)
			if p.name == "nth status, s3://" {
				row(size, "the same requests, bare", len(asked), bare(minio, asked, *n), 0, 0)
			}
		}
	}
	if *madeUp > 0 {
		e := servers.StartMarkers(&m, *madeUp)
		address := strings.TrimPrefix(e.URL, "http://")
		counted := count(&m, address)
		status := func(url string) []string {
			return []string{nth, "status", "--completions", fmt.Sprint(*madeUp), "--markers", strings.Replace(e.Place(), e.URL, url, 1)}
		}
		run(status(counted.URL), env)
		asked := counted.take()
		wall, cpu, peak := median(*n, status(e.URL), env)
		row(*madeUp, "nth status, made up", len(asked), wall, cpu, peak)
		row(*madeUp, "the same requests, bare", len(asked), bare(&servers.S3{Server: &servers.Server{Address: address}}, asked, *n), 0, 0)
	}
}

func row(size int, name string, requests int, wall, cpu, peak float64) {
	fmt.Printf("%-10d%-28s%10d%10.2f%10.2f%12.1f\n", size, name, requests, wall, cpu, peak)
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}

// fill writes the markers and records of a Job of which every 200th index has failed.
func fill(url string, size int) {
	s, err := store.Open(context.Background(), url)
	check(err)
	defer s.Close()
	next := make(chan int)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for i := range next {
				key, body := document(i)
				if dir, ok := strings.CutPrefix(url, "file://"); ok { // without syncing each
					path := filepath.Join(dir, key)
					check(os.MkdirAll(filepath.Dir(path), 0o755))
					check(os.WriteFile(path, body, 0o644))
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

// run gives the seconds that a command takes, those of its CPU, and its greatest
// memory in 10⁶ bytes.
func run(argv, env []string) (wall, cpu, peak float64) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	began := time.Now()
	if err := cmd.Start(); err != nil {
		log.Panicf("%s: %v", argv, err)
	}
	ended, most := make(chan struct{}), make(chan int64)
	go func() { most <- harness.Peak(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	wall = time.Since(began).Seconds()
	close(ended)
	if err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: something has failed
		log.Panicf("%s: %v: %s", argv, err, errs.String())
	}
	return wall, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), float64(<-most) / 1e6
}

func median(n int, argv, env []string) (wall, cpu, peak float64) {
	var walls, cpus, peaks []float64
	for range n {
		w, c, p := run(argv, env)
		walls, cpus, peaks = append(walls, w), append(cpus, c), append(peaks, p)
	}
	for _, s := range [][]float64{walls, cpus, peaks} {
		slices.Sort(s)
	}
	return walls[n/2], cpus[n/2], peaks[n/2]
}
