// Command upload writes a large blob into a store, and deletes it. It fails if more of
// it was in memory than it is told: upload URL BYTES LIMIT.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"strconv"

	"gocloud.dev/blob"

	"nth/shim/store"
	"nth/testdata/harness"
)

func main() {
	size, err := strconv.ParseInt(os.Args[2], 10, 64)
	check(err)
	limit, err := strconv.Atoi(os.Args[3])
	check(err)
	ctx := context.Background()
	s, err := store.Open(ctx, os.Args[1])
	check(err)
	check(s.Bucket().Upload(ctx, "memory", io.LimitReader(&noise{}, size), &blob.WriterOptions{ContentType: "text/plain"}))
	peak := harness.OwnPeak()
	check(s.Delete(ctx, "memory"))
	if peak == 0 || peak > int64(limit) {
		log.Fatalf("%d MB were in memory", peak>>20)
	}
}

// noise is what no server can make smaller.
type noise struct{ n uint32 }

func (p *noise) Read(b []byte) (int, error) {
	for i := range b {
		p.n = p.n*1664525 + 1013904223
		b[i] = byte(p.n >> 24)
	}
	return len(b), nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
