// Command move moves a large blob in one of the ways of shim/transfer, and tells how much
// memory it had at most, in bytes: move URL BYTES upload|download|read|write. What it
// downloads or reads is the blob that upload or write has made of the same URL.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"time"

	"nth/shim/store"
	"nth/shim/transfer"
	"nth/testdata/harness"
)

const key = "large"

func main() {
	size, err := strconv.ParseInt(os.Args[2], 10, 64)
	check(err)
	ctx := context.Background()
	s, err := store.Open(ctx, os.Args[1])
	check(err)
	m := &transfer.Mover{Policy: store.Policy{Window: 10 * time.Minute, PerCall: 5 * time.Minute}}
	f, err := os.CreateTemp("", "move-")
	check(err)
	check(os.Remove(f.Name()))
	var sum transfer.Sum
	switch os.Args[3] {
	case "upload":
		check(f.Truncate(size)) // it is sparse
		sum, err = m.Upload(ctx, s, key, f)
	case "download":
		sum, _, err = m.Download(ctx, s, transfer.Unknown(key), f)
	case "read":
		r := m.Reader(ctx, s, transfer.Unknown(key))
		sum.Size, err = io.Copy(io.Discard, r)
		check(r.Close())
	case "write":
		w := m.Writer(ctx, s, key)
		_, err = io.CopyN(w, zeros{}, size)
		check(err)
		sum, err = w.Finish()
	}
	check(err)
	if sum.Size != size {
		log.Fatalf("%d bytes were moved", sum.Size)
	}
	fmt.Println(harness.OwnPeak())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
