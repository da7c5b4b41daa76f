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
	return web.Source{Server: server, Named: named,
		Get: func(wanted string, pin contract.Token) (*http.Response, error) {
			r := request{method: http.MethodGet, key: key, header: http.Header{}}
			if wanted != "" {
				r.header.Set("Range", wanted)
			}
			if pin != "" {
				r.header.Set("If-Match", string(pin))
			}
			return b.object(ctx, r)
		},
		Stat:   func() (*driver.Attributes, error) { return b.Attributes(ctx, key) },
		Behind: func(err error) bool { return codeOf(err) == codeInvalidRange },
	}.Reader(ctx, offset, length, opts)
}

// named is what an answer names of a blob. Azure has no CRC32C.
func named(res *http.Response) web.Named {
	return web.Named{Version: contract.Token(res.Header.Get("ETag")), Mode: contract.ReadMode(res.Header.Get("X-Ms-Meta-" + contract.ModeKey))}
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
		Size: res.ContentLength, MD5: sum(res.Header.Get("Content-Md5")), ETag: res.Header.Get("ETag"), AsFunc: named(res).As,
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
