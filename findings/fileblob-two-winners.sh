#!/bin/sh
# gocloud.dev/blob/fileblob v0.47.0: WriterOptions.IfNotExist isn't exclusive. Its writer
# looks whether the file is there when it is closed, and then renames its temporary file
# over the name (rename(2) replaces what is there), so that of writers which close at the
# same moment several are told that they created the blob, and the last one's bytes stay.
# A good engineer would expect the create-if-absent of O_EXCL or link(2): one winner, and
# an error with the code FailedPrecondition for all others.
#
# Seen (linux/amd64, 2 CPUs): two or more winners in some of the rounds of 50 writers, and
# in every run of this script. It fails where 2,000 rounds have one winner each.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
)

func main() {
	const rounds, writers = 2000, 50
	dir, err := os.MkdirTemp(".", "bucket")
	if err != nil {
		panic(err)
	}
	b, err := fileblob.OpenBucket(dir, nil)
	if err != nil {
		panic(err)
	}
	defer b.Close()
	for round := range rounds {
		key := fmt.Sprintf("key-%d", round)
		var winners atomic.Int64
		var ready, done sync.WaitGroup
		ready.Add(writers)
		for n := range writers {
			done.Go(func() {
				w, err := b.NewWriter(context.Background(), key, &blob.WriterOptions{IfNotExist: true})
				if err == nil {
					_, err = fmt.Fprintf(w, "writer %d", n)
				}
				ready.Done()
				ready.Wait() // all have written, and close at the same moment
				if err == nil && w.Close() == nil {
					winners.Add(1)
				}
			})
		}
		done.Wait()
		if winners.Load() > 1 {
			fmt.Printf("round %d: %d of %d writers with IfNotExist were told that they created the blob\n", round, winners.Load(), writers)
			return
		}
	}
	fmt.Printf("%d rounds had one winner each\n", rounds)
	os.Exit(1)
}
GO
go mod init finding >/dev/null 2>&1
go get gocloud.dev@v0.47.0 gocloud.dev/blob/fileblob@v0.47.0 >/dev/null 2>&1
go list -m gocloud.dev
go run .
