package main

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
)

// What a bare client sends at once, in bytes, and how often at the same time.
const (
	barePart   = 8 << 20
	bareAtOnce = 6
)

// bare is a client that does nothing but what it can't leave out: it reads the object in
// ranges and throws them away, and uploads one of the same size in parts that it has in
// memory, with no checksum of anything. What it takes is the server's own time, below which
// no program comes on these processors.
func bare(server, bucket, in, out string) error {
	b := &bareClient{server: server, bucket: bucket, signer: v4.NewSigner()}
	res, err := b.do(http.MethodHead, in, nil, "", nil)
	if err != nil {
		return err
	}
	size := res.ContentLength
	parts := int((size + barePart - 1) / barePart)
	err = b.each(parts, func(n int) error {
		res, err := b.do(http.MethodGet, in, nil, fmt.Sprintf("bytes=%d-%d", n*barePart, min(int64(n+1)*barePart, size)-1), nil)
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

type bareClient struct {
	server, bucket string
	signer         *v4.Signer
}

func (b *bareClient) upload(key string, size int64, parts int) error {
	res, err := b.do(http.MethodPost, key, url.Values{"uploads": {""}}, "", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var begun struct{ UploadId string }
	if err := xml.NewDecoder(res.Body).Decode(&begun); err != nil {
		return err
	}
	body := bytes.Repeat([]byte("0123456789abcdef"), barePart/16)
	etags := make([]string, parts)
	err = b.each(parts, func(n int) error {
		query := url.Values{"partNumber": {strconv.Itoa(n + 1)}, "uploadId": {begun.UploadId}}
		res, err := b.do(http.MethodPut, key, query, "", body[:min(barePart, size-int64(n)*barePart)])
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
func (b *bareClient) each(parts int, do func(n int) error) error {
	numbers, failed := make(chan int, parts), make(chan error, bareAtOnce)
	for n := range parts {
		numbers <- n
	}
	close(numbers)
	var all sync.WaitGroup
	for range bareAtOnce {
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

func (b *bareClient) do(method, key string, query url.Values, ranged string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(method, "http://"+b.server+"/"+b.bucket+"/"+key+"?"+query.Encode(), bytes.NewReader(body))
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
		err = fmt.Errorf("%s %s: %s %s", method, key, res.Status, text)
	}
	return res, err
}
