package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

// Range gives the Range header for a part of a blob, "" for all of it; a negative
// length is all from the offset on. HTTP has no range of no bytes.
func Range(offset, length int64) string {
	switch {
	case length > 0:
		return fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)
	case offset > 0:
		return fmt.Sprintf("bytes=%d-", offset)
	}
	return ""
}

// Reader is a driver.Reader over an answer.
type Reader struct {
	ctx   context.Context
	body  io.ReadCloser
	left  int64 // bytes that must still come; -1: the transfer coding tells
	attrs driver.ReaderAttributes
	token contract.Token
}

// NewReader reads the answer to a request with this Range header, or closes it: an
// answer that doesn't fit, or whose end nobody could tell, is none.
func NewReader(ctx context.Context, res *http.Response, store, wanted string, token contract.Token) (*Reader, error) {
	var err error
	switch {
	case (wanted != "") != (res.StatusCode == http.StatusPartialContent):
		err = Foreign(store, "a part was asked for, and "+res.Status+" came")
	case Endless(res):
		err = Foreign(store, "nothing tells where it ends")
	}
	if err != nil {
		res.Body.Close()
		return nil, err
	}
	return &Reader{ctx: ctx, body: res.Body, left: res.ContentLength, token: token,
		attrs: driver.ReaderAttributes{ContentType: ContentType(res), ModTime: Modified(res), Size: size(res)}}, nil
}

// NewEmpty reads no byte of a blob that is there.
func NewEmpty(a *driver.Attributes, token contract.Token) *Reader {
	return &Reader{body: http.NoBody, token: token,
		attrs: driver.ReaderAttributes{ContentType: a.ContentType, ModTime: a.ModTime, Size: a.Size}}
}

// Attributes gives what the answer said of the blob.
func (r *Reader) Attributes() *driver.ReaderAttributes { return &r.attrs }

// Close ends the reading.
func (r *Reader) Close() error { return r.body.Close() }

// As gives the version of the blob that is read.
func (r *Reader) As(i any) bool {
	t, ok := i.(*contract.Token)
	if ok {
		*t = r.token
	}
	return ok
}

// Read never gives the end of a body that was cut short for the end of the blob.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if r.left >= 0 {
		r.left -= int64(n)
	}
	if err == io.EOF && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		err = Unreachable(r.ctx, err)
	}
	return n, err
}

// ContentType gives the blob's type.
func ContentType(res *http.Response) string {
	if t := res.Header.Get("Content-Type"); t != "" {
		return t
	}
	return "application/octet-stream"
}

// Modified gives the blob's date; zero where the answer has none.
func Modified(res *http.Response) time.Time {
	t, _ := http.ParseTime(res.Header.Get("Last-Modified"))
	return t
}

// size is that of the whole blob, also in the answer to a range.
func size(res *http.Response) int64 {
	if _, total, ok := strings.Cut(res.Header.Get("Content-Range"), "/"); ok {
		if n, err := strconv.ParseInt(total, 10, 64); err == nil {
			return n
		}
	}
	return res.ContentLength
}
