// Package bare is a client of an S3 server that does nothing but what it can't leave out.
// What it takes is the server's own time, below which no program comes on these processors.
package bare

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"nth/testdata/bench/rounds"
)

// What it sends of an object at once, in bytes, and how often at the same time.
const (
	part        = 8 << 20
	partsAtOnce = 6
)

// listingsAtOnce is how many requests nth has under way where there are many.
const listingsAtOnce = 16

// Object is the command that reads an object in ranges and throws them away, and uploads
// one of the same size in parts that it has in memory, with no checksum of anything.
func Object(server, bucket, in, out string) []string {
	return words("object", server, bucket, in, out)
}

// Requests is the command that sends the GETs in a file, a path and query a line, and
// throws the answers away.
func Requests(server, file string) []string { return words("requests", server, file) }

func words(args ...string) []string {
	self, err := os.Executable()
	rounds.Check(err)
	return append([]string{self, "bare"}, args...)
}

// Main is one of these commands, if the words are it.
func Main(args []string) bool {
	if len(args) < 2 || args[1] != "bare" {
		return false
	}
	b := &client{server: args[3], signer: v4.NewSigner()}
	if args[2] == "object" {
		b.bucket = args[4]
		rounds.Check(b.object(args[5], args[6]))
	} else {
		rounds.Check(b.requests(args[4]))
	}
	return true
}

func (b *client) requests(file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = listingsAtOnce
	lines := strings.Fields(string(body))
	return each(len(lines), listingsAtOnce, func(n int) error {
		res, err := b.send(http.MethodGet, lines[n], "", nil)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return err
	})
}

func (b *client) object(in, out string) error {
	res, err := b.do(http.MethodHead, in, nil, "", nil)
	if err != nil {
		return err
	}
	size := res.ContentLength
	parts := int((size + part - 1) / part)
	err = each(parts, partsAtOnce, func(n int) error {
		res, err := b.do(http.MethodGet, in, nil, fmt.Sprintf("bytes=%d-%d", n*part, min(int64(n+1)*part, size)-1), nil)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return err
	})
	if err != nil {
		return err
	}
	return b.upload(out, size, parts)
}

type client struct {
	server, bucket string
	signer         *v4.Signer
}

func (b *client) upload(key string, size int64, parts int) error {
	res, err := b.do(http.MethodPost, key, url.Values{"uploads": {""}}, "", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var begun struct{ UploadId string }
	if err := xml.NewDecoder(res.Body).Decode(&begun); err != nil {
		return err
	}
	body := bytes.Repeat([]byte("0123456789abcdef"), part/16)
	etags := make([]string, parts)
	err = each(parts, partsAtOnce, func(n int) error {
		query := url.Values{"partNumber": {strconv.Itoa(n + 1)}, "uploadId": {begun.UploadId}}
		res, err := b.do(http.MethodPut, key, query, "", body[:min(part, size-int64(n)*part)])
		if err != nil {
			return err
		}
		etags[n] = res.Header.Get("ETag")
		return res.Body.Close()
	})
	if err != nil {
		return err
	}
	var all strings.Builder
	for n, etag := range etags {
		fmt.Fprintf(&all, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", n+1, etag)
	}
	res, err = b.do(http.MethodPost, key, url.Values{"uploadId": {begun.UploadId}}, "",
		[]byte("<CompleteMultipartUpload>"+all.String()+"</CompleteMultipartUpload>"))
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// each does something for each part, several at once.
func each(parts, atOnce int, do func(n int) error) error {
	numbers, failed := make(chan int, parts), make(chan error, atOnce)
	for n := range parts {
		numbers <- n
	}
	close(numbers)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for n := range numbers {
				if err := do(n); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

func (b *client) do(method, key string, query url.Values, ranged string, body []byte) (*http.Response, error) {
	return b.send(method, "/"+b.bucket+"/"+key+"?"+query.Encode(), ranged, body)
}

// send sends a request for a path and a query.
func (b *client) send(method, uri, ranged string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(method, "http://"+b.server+uri, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if ranged != "" {
		req.Header.Set("Range", ranged)
	}
	const unsigned = "UNSIGNED-PAYLOAD"
	req.Header.Set("X-Amz-Content-Sha256", unsigned)
	me := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}
	if err := b.signer.SignHTTP(context.Background(), me, req, unsigned, "s3", "us-east-1", time.Now()); err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err == nil && res.StatusCode/100 != 2 {
		text, _ := io.ReadAll(res.Body)
		err = fmt.Errorf("%s %s: %s %s", method, uri, res.Status, text)
	}
	return res, err
}
