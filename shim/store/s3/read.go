package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

type reader struct {
	body  io.ReadCloser
	left  int64 // bytes that must still come; -1: not known
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
	if errors.Is(err, io.EOF) && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("the answer was cut short: %w", err)}
	}
	return n, err
}

func (b *bucket) NewRangeReader(ctx context.Context, key string, offset, length int64, opts *driver.ReaderOptions) (driver.Reader, error) {
	r := request{method: http.MethodGet, key: key, header: http.Header{}}
	switch {
	case length == 0:
		// HTTP has no empty range: ask for the attributes alone.
		attrs, err := b.Attributes(ctx, key)
		if err != nil {
			return nil, err
		}
		return &reader{body: http.NoBody, attrs: driver.ReaderAttributes{ContentType: attrs.ContentType, ModTime: attrs.ModTime, Size: attrs.Size}, token: contract.Token(attrs.ETag)}, nil
	case length > 0:
		r.header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	case offset > 0:
		r.header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	if opts.BeforeRead != nil {
		if err := opts.BeforeRead(func(any) bool { return false }); err != nil {
			return nil, err
		}
	}
	res, err := b.do(ctx, r)
	if err != nil {
		return nil, err
	}
	return &reader{body: res.Body, left: res.ContentLength, token: contract.Token(res.Header.Get("ETag")),
		attrs: driver.ReaderAttributes{ContentType: contentType(res), ModTime: modified(res), Size: size(res)}}, nil
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

// Attributes asks with HEAD. Its 404 has no body, so it doesn't tell a missing key
// from a missing bucket or user: a GET does.
func (b *bucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	res, err := b.do(ctx, request{method: http.MethodHead, key: key})
	if err != nil && strings.HasPrefix(err.Error(), "status 404") {
		res, err = b.do(ctx, request{method: http.MethodGet, key: key})
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

// listing is the answer of ListObjectsV2.
type listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	IsTruncated           bool
	NextContinuationToken string
	Contents              []struct {
		Key          string
		LastModified time.Time
		Size         int64
	}
	CommonPrefixes []struct{ Prefix string }
}

func (b *bucket) ListPaged(ctx context.Context, opts *driver.ListOptions) (*driver.ListPage, error) {
	if opts.BeforeList != nil {
		if err := opts.BeforeList(func(any) bool { return false }); err != nil {
			return nil, err
		}
	}
	q := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "prefix": {b.prefix + opts.Prefix}}
	if opts.Delimiter != "" {
		q.Set("delimiter", opts.Delimiter)
	}
	if opts.PageSize > 0 {
		q.Set("max-keys", strconv.Itoa(opts.PageSize))
	}
	if len(opts.PageToken) > 0 {
		q.Set("continuation-token", string(opts.PageToken))
	}
	res, err := b.do(ctx, request{method: http.MethodGet, query: q})
	if err != nil {
		return nil, err
	}
	defer drain(res)
	var l listing
	if err := xml.NewDecoder(res.Body).Decode(&l); err != nil {
		return nil, &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("the answer is no listing: %w", err), Hint: "is endpoint= an S3 server?"}
	}
	return b.page(&l)
}

func (b *bucket) page(l *listing) (*driver.ListPage, error) {
	p := &driver.ListPage{}
	key := func(s string) (string, error) {
		s, err := url.QueryUnescape(s)
		return strings.TrimPrefix(s, b.prefix), err
	}
	for _, c := range l.Contents {
		k, err := key(c.Key)
		if err != nil {
			return nil, err
		}
		p.Objects = append(p.Objects, &driver.ListObject{Key: k, ModTime: c.LastModified, Size: c.Size})
	}
	for _, c := range l.CommonPrefixes {
		k, err := key(c.Prefix)
		if err != nil {
			return nil, err
		}
		p.Objects = append(p.Objects, &driver.ListObject{Key: k, IsDir: true})
	}
	if l.IsTruncated {
		p.NextPageToken = []byte(l.NextContinuationToken)
	}
	sortObjects(p.Objects)
	return p, nil
}
