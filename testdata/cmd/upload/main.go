// Command upload writes a large blob into a store, and deletes it. It fails if more of
// it was in memory than it is told: upload URL BYTES LIMIT.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	"gocloud.dev/blob"

	"nth/shim/store"
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
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	var peak int // KiB, proc(5)
	_, err = fmt.Sscan(strings.TrimSpace(string(after)), &peak)
	check(err)
	check(s.Delete(ctx, "memory"))
	if peak<<10 > limit {
		log.Fatalf("%d MB were in memory", peak>>10)
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
