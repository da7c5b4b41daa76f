// Command objects measures what it costs that the objects of a store are items: of the run
// that comes first, which lists them and pins the list, and of those after it. That is the
// requests for the list, all requests, time, and the peak of nth's own memory; at -least
// objects on MinIO and versitygw, and at as many, ten times as many and so on, to -most,
// before a server that makes up its listings, and in a directory of empty files.
//
//	go run ./testdata/bench/objects [-least 10000] [-most 1000000] [-n 3]
//
// A million files are a million inodes of the temporary directory (df -i), for a while.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

func main() {
	least := flag.Int("least", 10_000, "the fewest objects")
	most := flag.Int("most", 1_000_000, "the most objects")
	n := flag.Int("n", 3, "first readers, and others, of which the median counts")
	flag.Parse()
	var m harness.Machine
	defer m.End()
	nth, err := harness.Binary()
	check(err)
	m.Cleanup(func() { os.RemoveAll(filepath.Dir(nth)) })
	for _, e := range servers.S3Env() {
		name, value, _ := strings.Cut(e, "=")
		check(os.Setenv(name, value))
	}
	fmt.Printf("%-9s %-24s %-7s %9s %9s %8s %8s %9s\n", "objects", "", "reader", "of list", "requests", "s", "CPU s", "peak MB")
	minio := servers.StartMinIO(&m)
	for _, real := range []struct {
		name string
		*servers.S3
	}{{"MinIO", minio}, {"versitygw", servers.StartS3(&m)}} {
		real.Bucket(&m, "objects")
		real.Bucket(&m, "markers")
		fill(real.URL("objects", ""), *least)
		counted := count(&m, real.Address)
		through := func(url string) string { return strings.Replace(url, "http://"+real.Address, counted.URL, 1) }
		place{real.name, through(real.URL("objects", "")), through(real.URL("markers", "real")), counted.take}.measure(nth, *least, *n)
	}
	for size := *least; size <= *most; size *= 10 {
		e := servers.StartEndless(&m, minio.Address, size)
		place{"made up, s3://", e.Tasks(), fmt.Sprintf("s3://markers/made-up/%d?use_path_style=true&endpoint=%s", size, e.URL), e.Asked}.measure(nth, size, *n)
		files(&m, nth, size, *n)
	}
}

func check(err error) {
	if err != nil {
		log.Panic(err) // what was started is stopped
	}
}

// fill writes empty objects.
func fill(url string, size int) {
	s, err := store.Open(context.Background(), url)
	check(err)
	defer s.Close()
	check(store.Each(context.Background(), size, func(ctx context.Context, k int) error {
		return s.Put(ctx, fmt.Sprintf("sample-%08d/reads.fastq.gz", k), nil)
	}))
}

// files measures a directory.
func files(m *harness.Machine, nth string, size, n int) {
	dir := m.TempDir()
	defer os.RemoveAll(dir)
	check(os.Mkdir(dir+"/in", 0o777))
	for k := range size {
		f, err := os.Create(fmt.Sprintf("%s/in/sample-%08d.fastq.gz", dir, k))
		check(err)
		check(f.Close())
	}
	place{"one directory, file://", "file://" + dir + "/in/", "file://" + dir + "/m?create_dir=true", nil}.measure(nth, size, n)
}

// counter tells what it hands on.
type counter struct {
	*servers.Fault
	mu    sync.Mutex
	asked map[string]int
}

func count(m *harness.Machine, address string) *counter {
	c := &counter{asked: map[string]int{}}
	c.Fault = servers.StartFault(m, address, func(_ int, r *http.Request) servers.Action {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked[servers.Request(r)]++
		return nil
	})
	return c
}

// take gives what was asked since it was called last.
func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = map[string]int{}
	return asked
}
