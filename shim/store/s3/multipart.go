package s3

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"nth/shim/store/contract"
	"nth/shim/store/markup"
	"nth/shim/store/web"
)

// Of parts (Amazon S3 User Guide, "Multipart upload limits"), in bytes.
const (
	minPart  = 5 << 20 // but for the last
	maxParts = 10000
)

// multipart is an upload in parts, which nobody sees before it is complete. One whose
// process was killed stays as it is, and is paid for, until a lifecycle rule of the bucket
// (AbortIncompleteMultipartUpload) ends it.
type multipart struct {
	b       *bucket
	key, id string
	tried   bool // to complete it

	mu    sync.Mutex
	etags map[int]string
}

func (b *bucket) begin(ctx context.Context, key string, header http.Header) (*multipart, error) {
	res, err := b.do(ctx, request{method: http.MethodPost, key: key, header: header, query: url.Values{"uploads": {""}}})
	if err != nil {
		return nil, err
	}
	doc, err := b.verify(ctx, res, "InitiateMultipartUploadResult")
	if err != nil {
		return nil, err
	}
	u := &multipart{b: b, key: key, id: doc.Get("UploadId"), etags: map[int]string{}}
	if u.id == "" {
		return nil, foreign("it names no upload")
	}
	return u, nil
}

// query names the n-th part, from 0.
func (u *multipart) query(n int) url.Values {
	return url.Values{"partNumber": {strconv.Itoa(n + 1)}, "uploadId": {u.id}}
}

// came says that a part is there.
func (u *multipart) came(n int, etag string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.etags[n] = etag
}

// complete makes the blob visible, on a condition.
func (u *multipart) complete(ctx context.Context, when http.Header) error {
	var body strings.Builder
	body.WriteString("<CompleteMultipartUpload>")
	for n := range len(u.etags) {
		fmt.Fprintf(&body, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", n+1, markup.Escape(u.etags[n]))
	}
	body.WriteString("</CompleteMultipartUpload>")
	again := u.tried
	u.tried = true
	res, err := u.b.do(ctx, request{method: http.MethodPost, key: u.key, header: when, body: []byte(body.String()), query: url.Values{"uploadId": {u.id}}})
	if err == nil {
		_, err = u.b.verify(ctx, res, "CompleteMultipartUploadResult")
	}
	if r, ok := errors.AsType[*refusal](err); again && ok && r.code == codeNoSuchUpload && u.isThere(ctx) {
		return nil
	}
	return err
}

// isThere tells whether an earlier try, whose answer was lost, has completed the upload:
// S3 itself would say so when it is asked again, and other servers know it no longer. The
// ETag is that of these parts: the MD5 of all their MD5s, and how many they are.
func (u *multipart) isThere(ctx context.Context) bool {
	sums := md5.New()
	for n := range len(u.etags) {
		sum, err := hex.DecodeString(strings.Trim(u.etags[n], `"`))
		if err != nil || len(sum) != md5.Size {
			return false
		}
		sums.Write(sum)
	}
	a, err := u.b.Attributes(ctx, u.key)
	return err == nil && strings.Trim(a.ETag, `"`) == fmt.Sprintf("%x-%d", sums.Sum(nil), len(u.etags))
}

// aborts is how often an upload is aborted, and abortPause what is between.
const (
	aborts     = 3
	abortPause = 300 * time.Millisecond
)

// abort takes the parts back. A part that was on its way then may come after it, and stay, so
// that it is asked for until there is no such upload (Amazon S3 API reference,
// "AbortMultipartUpload").
func (u *multipart) abort(ctx context.Context) {
	for range aborts {
		res, err := u.b.do(ctx, request{method: http.MethodDelete, key: u.key, query: url.Values{"uploadId": {u.id}}})
		if err == nil {
			web.Drain(res)
		}
		if r, ok := errors.AsType[*refusal](err); ok && r.code == codeNoSuchUpload {
			return
		}
		select {
		case <-time.After(abortPause):
		case <-ctx.Done():
			return
		}
	}
}

// verify reads an answer of status 200 that may be an error all the same: S3
// begins it before it knows (CompleteMultipartUpload, CopyObject, UploadPartCopy).
func (b *bucket) verify(ctx context.Context, res *http.Response, want string) (*markup.Element, error) {
	body, err := web.Body(ctx, res, server, web.MaxError)
	if err != nil {
		return nil, err
	}
	doc, err := markup.Parse(body)
	switch {
	case err == nil && doc.Name == want:
		return doc, nil
	case err == nil && doc.Name == "Error":
		return nil, b.meaning(readRefusal(http.StatusInternalServerError, body))
	}
	return nil, foreign("no " + want + " came")
}

// partsOf cuts a blob into parts of this size, or of one that is a multiple of it: there
// may only be so many.
func partsOf(size, part int64) (count int, of int64) {
	for of = part; (size+of-1)/of > maxParts; of += part {
	}
	return int((size + of - 1) / of), of
}

// changedSource: a source that has changed in the middle of its copy is asked for again.
func changedSource(err error) error {
	if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Exists {
		return &contract.Error{Kind: contract.Conflict, Cause: errors.New("the source has changed while it was copied")}
	}
	return err
}
