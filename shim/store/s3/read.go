package s3

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

func (b *bucket) NewRangeReader(ctx context.Context, key string, offset, length int64, opts *driver.ReaderOptions) (driver.Reader, error) {
	if err := contract.Before(opts.BeforeRead); err != nil {
		return nil, err
	}
	if length == 0 {
		return b.nothing(ctx, key)
	}
	r := request{method: http.MethodGet, key: key, header: http.Header{}}
	wanted := web.Range(offset, length)
	if wanted != "" {
		r.header.Set("Range", wanted)
	}
	res, err := b.object(ctx, r)
	if answer, ok := errors.AsType[*refusal](err); ok && answer.code == codeInvalidRange && offset == 0 {
		return b.nothing(ctx, key) // of an empty blob there is no range
	}
	if err != nil {
		return nil, err
	}
	return web.NewReader(ctx, res, server, wanted, contract.Token(res.Header.Get("ETag")))
}

// nothing reads no byte of a blob that is there.
func (b *bucket) nothing(ctx context.Context, key string) (driver.Reader, error) {
	attrs, err := b.Attributes(ctx, key)
	if err != nil {
		return nil, err
	}
	return web.NewEmpty(attrs, contract.Token(attrs.ETag)), nil
}

// Attributes asks with HEAD. A refusal of it has no body, so that its 404 doesn't
// tell a missing key from a missing bucket or user, nor its 400 the region: a GET does.
func (b *bucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	res, err := b.about(ctx, request{method: http.MethodHead, key: key})
	if answer, ok := errors.AsType[*refusal](err); ok && answer.status < 500 {
		res, err = b.about(ctx, request{method: http.MethodGet, key: key})
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
		ContentType: web.ContentType(res), Metadata: metadata, ModTime: web.Modified(res), Size: res.ContentLength, ETag: res.Header.Get("ETag"),
	}, nil
}
