package azure

import (
	"context"
	"encoding/base64"
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
	if codeOf(err) == codeInvalidRange && offset == 0 {
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

// Attributes asks with HEAD, whose refusal has a code in a header.
func (b *bucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	res, err := b.head(ctx, key)
	if err != nil {
		return nil, err
	}
	metadata := map[string]string{}
	for name, values := range res.Header {
		if meta, ok := strings.CutPrefix(strings.ToLower(name), "x-ms-meta-"); ok {
			metadata[meta] = values[0]
		}
	}
	created, _ := http.ParseTime(res.Header.Get("X-Ms-Creation-Time")) // zero where there is none
	return &driver.Attributes{
		CacheControl: res.Header.Get("Cache-Control"), ContentDisposition: res.Header.Get("Content-Disposition"),
		ContentEncoding: res.Header.Get("Content-Encoding"), ContentLanguage: res.Header.Get("Content-Language"),
		ContentType: web.ContentType(res), Metadata: metadata, CreateTime: created, ModTime: web.Modified(res),
		Size: res.ContentLength, MD5: sum(res.Header.Get("Content-Md5")), ETag: res.Header.Get("ETag"),
	}, nil
}

func (b *bucket) head(ctx context.Context, key string) (*http.Response, error) {
	res, err := b.object(ctx, request{method: http.MethodHead, key: key})
	if err == nil {
		res.Body.Close()
	}
	return res, err
}

// sum is a blob's MD5, which Azure has for what was sent at once; nil without one.
func sum(text string) []byte {
	s, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(s) == 0 {
		return nil
	}
	return s
}
