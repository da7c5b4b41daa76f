// Package objects measures what it costs that the objects of a store are items: of the run
// that comes first, which lists them and pins the list, and of those after it. That is the
// requests for the list, all requests, time, and the peak of nth's own memory; at ten
// thousand objects on MinIO and versitygw, and at as many, ten times as many and so on, to
// a million, before a server that makes up its listings, and in a directory of empty files.
//
// A million files are a million inodes of the temporary directory (df -i), for a while.
package objects

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"

	"nth/shim/store"
	"nth/testdata/bench/rounds"
	"nth/testdata/servers"
)

// Subject is this one.
var Subject = rounds.Subject{
	Name: "objects", About: "objects of a store as items: requests, time and memory of the first run and of others",
	Needs: []string{"minio (./testdata/test objects installs it)", "versitygw (./testdata/test objects installs it)"}, Measure: measure,
}

// The fewest objects, and the most.
const (
	least = 10_000
	most  = 1_000_000
)

func measure(b *rounds.Bench) {
	minio := servers.StartMinIO(b)
	n := b.Items(least)
	for _, real := range []struct {
		name string
		*servers.S3
	}{{"MinIO", minio}, {"versitygw", servers.StartS3(b)}} {
		real.Bucket(b, "objects")
		real.Bucket(b, "markers")
		fill(real.URL("objects", ""), n)
		counted := count(b, real.Address)
		through := func(url string) string { return strings.Replace(url, "http://"+real.Address, counted.URL, 1) }
		place{real.name, through(real.URL("objects", "")), through(real.URL("markers", "real")), counted.take}.measure(b, n)
	}
	for size := n; size <= b.Items(most); size *= 10 {
		e := servers.StartEndless(b, minio.Address, size)
		place{"made up, s3://", e.Tasks(), fmt.Sprintf("s3://markers/made-up/%d?use_path_style=true&endpoint=%s", size, e.URL), e.Asked}.measure(b, size)
		files(b, size)
	}
}

// fill writes empty objects.
func fill(url string, size int) {
	s, err := store.Open(context.Background(), url)
	rounds.Check(err)
	defer s.Close()
	rounds.Check(store.Each(context.Background(), size, func(ctx context.Context, k int) error {
		return s.Put(ctx, fmt.Sprintf("sample-%08d/reads.fastq.gz", k), nil)
	}))
}

// files measures a directory.
func files(b *rounds.Bench, size int) {
	dir := b.TempDir()
	defer os.RemoveAll(dir)
	rounds.Check(os.Mkdir(dir+"/in", 0o777))
	for k := range size {
		f, err := os.Create(fmt.Sprintf("%s/in/sample-%08d.fastq.gz", dir, k))
		rounds.Check(err)
		rounds.Check(f.Close())
	}
	place{"one directory, file://", "file://" + dir + "/in/", "file://" + dir + "/m?create_dir=true", nil}.measure(b, size)
}

// counter tells what it hands on.
type counter struct {
	*servers.Fault
	mu    sync.Mutex
	asked map[string]int
}

func count(b *rounds.Bench, address string) *counter {
	c := &counter{asked: map[string]int{}}
	c.Fault = servers.StartFault(b, address, func(_ int, r *http.Request) servers.Action {
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
