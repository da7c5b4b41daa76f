#!/bin/sh
# fake-gcs-server v1.56.1: asking how far a resumable upload has come completes it. Cloud Storage
# answers a PUT with no body and "Content-Range: bytes */*" with 308 and the range that it has
# ("Check the status of a resumable upload"); this server takes the question for the last, empty
# part: it answers 200 and makes an object of what has come so far. A good engineer would expect
# an emulator to keep an upload open until its last part. A client that resumes after a broken
# connection, and is tested against this server, so publishes half of an object, and is told
# that the upload is done; the same client is right on the real service.
#
# Seen: status 308 to a part of 262,144 bytes of a larger object, 200 to the question, and an
# object of 262,144 bytes. The script fails where the question is answered with 308.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
GOBIN=$work go install github.com/fsouza/fake-gcs-server@v1.56.1 2>/dev/null
go version -m fake-gcs-server | grep -w mod
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	host := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(host)
	cmd := exec.Command("./fake-gcs-server", "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory",
		"-public-host", host, "-external-url", "http://"+host)
	must(cmd.Start())
	defer cmd.Process.Kill()
	for n := 0; ; n++ {
		if c, err := net.Dial("tcp", host); err == nil {
			c.Close()
			break
		} else if n > 600 {
			panic(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	call := func(method, url, body string, header ...string) (*http.Response, string) {
		req, err := http.NewRequest(method, url, strings.NewReader(body))
		must(err)
		for n := 0; n < len(header); n += 2 {
			req.Header.Set(header[n], header[n+1])
		}
		res, err := http.DefaultClient.Do(req)
		must(err)
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		return res, string(text)
	}
	call("POST", "http://"+host+"/storage/v1/b?project=p", `{"name":"bucket"}`, "Content-Type", "application/json")
	res, _ := call("POST", "http://"+host+"/upload/storage/v1/b/bucket/o?uploadType=resumable&name=large", "{}", "Content-Type", "application/json")
	session := res.Header.Get("Location")
	part, _ := call("PUT", session, strings.Repeat("x", 256<<10), "Content-Range", "bytes 0-262143/*")
	question, _ := call("PUT", session, "", "Content-Range", "bytes */*")
	object, text := call("GET", "http://"+host+"/storage/v1/b/bucket/o/large?alt=media", "")
	fmt.Printf("part: %d; question: %d; the object: %d, %d bytes\n", part.StatusCode, question.StatusCode, object.StatusCode, len(text))
	if question.StatusCode != 200 || object.StatusCode != 200 || len(text) != 256<<10 {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go run .
