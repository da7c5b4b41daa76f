package gcs

import (
	"context"
	"net/http"
	"strconv"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// headerGeneration is the version's number (Cloud Storage, "HTTP headers").
const headerGeneration = "X-Goog-Generation"

// read asks for a blob's content. What is stored compressed comes as it is stored.
func (b *bucket) read(ctx context.Context, key, wanted string) (*http.Response, error) {
	if key == "" {
		return nil, contract.EmptyKey()
	}
	h := http.Header{"Accept-Encoding": {"gzip"}}
	if wanted != "" {
		h.Set("Range", wanted)
	}
	res, err := b.do(ctx, request{method: http.MethodGet, path: b.content(key), header: h})
	if err != nil {
		return nil, b.emulatedAbsence(ctx, err)
	}
	if res.Header.Get(headerGeneration) == "" {
		res.Body.Close()
		return nil, foreign("it has no generation")
	}
	return res, nil
}

func (b *bucket) NewRangeReader(ctx context.Context, key string, offset, length int64, opts *driver.ReaderOptions) (driver.Reader, error) {
	if err := contract.Before(opts.BeforeRead); err != nil {
		return nil, err
	}
	if length == 0 {
		return b.nothing(ctx, key)
	}
	wanted := web.Range(offset, length)
	res, err := b.read(ctx, key, wanted)
	if is(err, http.StatusRequestedRangeNotSatisfiable) && offset == 0 {
		return b.nothing(ctx, key) // of an empty blob there is no range
	}
	if err != nil {
		return nil, err
	}
	return web.NewReader(ctx, res, server, wanted, contract.Token(res.Header.Get(headerGeneration)))
}

// nothing reads no byte of a blob that is there.
func (b *bucket) nothing(ctx context.Context, key string) (driver.Reader, error) {
	o, err := b.stat(ctx, key)
	if err != nil {
		return nil, err
	}
	attrs, err := o.attributes()
	if err != nil {
		return nil, err
	}
	return web.NewEmpty(attrs, contract.Token(o.Generation)), nil
}

func (b *bucket) stat(ctx context.Context, key string) (*object, error) {
	if key == "" {
		return nil, contract.EmptyKey()
	}
	o, err := b.describe(ctx, request{method: http.MethodGet, path: b.object(key)})
	return o, b.missing(ctx, key, err)
}

func (b *bucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	o, err := b.stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return o.attributes()
}

func (o *object) attributes() (*driver.Attributes, error) {
	size, err := strconv.ParseInt(o.Size, 10, 64)
	if err != nil {
		return nil, foreign("a size is no number")
	}
	return &driver.Attributes{
		CacheControl: o.CacheControl, ContentDisposition: o.ContentDisposition, ContentEncoding: o.ContentEncoding,
		ContentLanguage: o.ContentLanguage, ContentType: o.ContentType, Metadata: o.Metadata,
		CreateTime: o.TimeCreated, ModTime: o.Updated, Size: size, MD5: o.MD5, ETag: strconv.Quote(o.ETag),
	}, nil
}
