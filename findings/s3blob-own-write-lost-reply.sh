#!/bin/sh
# gocloud.dev/blob/s3blob v0.47.0 on aws-sdk-go-v2: with WriterOptions.IfNotExist, a writer whose
# reply is lost is told that it lost. The server stores the blob and the connection breaks before
# the answer; the SDK sends the same conditional PUT again by itself, gets 412 for its own bytes,
# and the caller gets the code FailedPrecondition, as if another writer had been first. A good
# engineer would expect either success or an error that says "unknown": who takes the answer at
# its word has nobody that goes on, for the winner believes that it lost. Only a look at the
# blob tells; it must have something in it that is the writer's alone.
#
# Seen: 2 requests for one Close, error code FailedPrecondition, and the bytes are the writer's.
# The script fails where there is one request, another code, or other bytes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
)

// server keeps one blob. Its first answer to a PUT never arrives.
type server struct {
	mu   sync.Mutex
	body []byte
	puts int
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodPut {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	s.puts++
	if s.body != nil && r.Header.Get("If-None-Match") == "*" {
		w.WriteHeader(http.StatusPreconditionFailed)
		fmt.Fprint(w, "<Error><Code>PreconditionFailed</Code><Message>At least one of the preconditions did not hold</Message></Error>")
		return
	}
	s.body = body
	if s.puts == 1 {
		c, _, _ := w.(http.Hijacker).Hijack()
		c.Close()
		return
	}
	w.Header().Set("ETag", `"1"`)
}

func main() {
	s := &server{}
	web := httptest.NewServer(s)
	defer web.Close()
	os.Setenv("AWS_ACCESS_KEY_ID", "k")
	os.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	ctx := context.Background()
	b, err := blob.OpenBucket(ctx, "s3://bucket?region=us-east-1&use_path_style=true&request_checksum_calculation=when_required&endpoint="+web.URL)
	if err != nil {
		panic(err)
	}
	defer b.Close()
	err = b.WriteAll(ctx, "claim", []byte("mine"), &blob.WriterOptions{IfNotExist: true})
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Printf("%d requests; the writer is told %v; the blob holds %q\n", s.puts, gcerrors.Code(err), s.body)
	if s.puts != 2 || gcerrors.Code(err) != gcerrors.FailedPrecondition || string(s.body) != "mine" {
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get gocloud.dev@v0.47.0 gocloud.dev/blob/s3blob@v0.47.0 >/dev/null 2>&1
go list -m gocloud.dev github.com/aws/aws-sdk-go-v2
go run .
