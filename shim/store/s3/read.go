package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

type reader struct {
	ctx   context.Context
	body  io.ReadCloser
	left  int64 // bytes that must still come; -1: the transfer coding tells
	attrs driver.ReaderAttributes
	token contract.Token
}

func (r *reader) Attributes() *driver.ReaderAttributes { return &r.attrs }
func (r *reader) Close() error                         { return r.body.Close() }
func (r *reader) As(i any) bool {
	t, ok := i.(*contract.Token)
	if ok {
		*t = r.token
	}
	return ok
}

// Read never gives the end of a body that was cut short for the end of the blob.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if r.left >= 0 {
		r.left -= int64(n)
	}
	if err == io.EOF && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		err = unreachable(r.ctx, err)
	}
	return n, err
}

func (b *bucket) NewRangeReader(ctx context.Context, key string, offset, length int64, opts *driver.ReaderOptions) (driver.Reader, error) {
	if err := before(opts.BeforeRead); err != nil {
		return nil, err
	}
	r := request{method: http.MethodGet, key: key, header: http.Header{}}
	switch {
	case length == 0:
		return b.nothing(ctx, key) // HTTP has no empty range
	case length > 0:
		r.header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	case offset > 0:
		r.header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	res, err := b.object(ctx, r)
	if answer, ok := errors.AsType[*refusal](err); ok && answer.code == codeInvalidRange && offset == 0 {
		return b.nothing(ctx, key) // of an empty blob there is no range
	}
	if err != nil {
		return nil, err
	}
	ranged := r.header.Get("Range") != ""
	switch {
	case ranged != (res.StatusCode == http.StatusPartialContent):
		err = foreign("a part was asked for, and " + res.Status + " came")
	case res.ContentLength < 0 && len(res.TransferEncoding) == 0 && res.ProtoMajor == 1:
		err = foreign("nothing tells where it ends")
	}
	if err != nil {
		res.Body.Close()
		return nil, err
	}
	return &reader{ctx: ctx, body: res.Body, left: res.ContentLength, token: contract.Token(res.Header.Get("ETag")),
		attrs: driver.ReaderAttributes{ContentType: contentType(res), ModTime: modified(res), Size: size(res)}}, nil
}

// nothing reads no byte of a blob that is there.
func (b *bucket) nothing(ctx context.Context, key string) (driver.Reader, error) {
	attrs, err := b.Attributes(ctx, key)
	if err != nil {
		return nil, err
	}
	return &reader{ctx: ctx, body: http.NoBody, token: contract.Token(attrs.ETag),
		attrs: driver.ReaderAttributes{ContentType: attrs.ContentType, ModTime: attrs.ModTime, Size: attrs.Size}}, nil
}

func contentType(res *http.Response) string {
	if t := res.Header.Get("Content-Type"); t != "" {
		return t
	}
	return "application/octet-stream"
}

func modified(res *http.Response) time.Time {
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

// Attributes asks with HEAD. A refusal of it has no body, so that its 404 doesn't
// tell a missing key from a missing bucket or user, nor its 400 the region: a GET does.
func (b *bucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	res, err := b.object(ctx, request{method: http.MethodHead, key: key})
	if answer, ok := errors.AsType[*refusal](err); ok && answer.status < 500 {
		res, err = b.object(ctx, request{method: http.MethodGet, key: key})
	}
	if err != nil {
		return nil, err
	}
	res.Body.Close()
	metadata := map[string]string{}
	for name, values := range res.Header {
		if meta, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok {
			metadata[meta] = values[0]
		}
	}
	return &driver.Attributes{
		CacheControl: res.Header.Get("Cache-Control"), ContentDisposition: res.Header.Get("Content-Disposition"),
		ContentEncoding: res.Header.Get("Content-Encoding"), ContentLanguage: res.Header.Get("Content-Language"),
		ContentType: contentType(res), Metadata: metadata, ModTime: modified(res), Size: res.ContentLength, ETag: res.Header.Get("ETag"),
	}, nil
}
