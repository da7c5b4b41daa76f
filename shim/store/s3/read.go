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
		Stat: func() (*driver.Attributes, error) { return b.Attributes(ctx, key) },
		Behind: func(err error) bool {
			answer, ok := errors.AsType[*refusal](err)
			return ok && answer.code == codeInvalidRange
		},
	}.Reader(ctx, offset, length, opts)
}

// named is what an answer names of a blob. The checksum of one that was sent in parts is
// its own only if it is of the whole object (Amazon S3 API reference, "HeadObject"); else it
// ends in the number of parts.
func named(res *http.Response) web.Named {
	n := web.Named{Version: contract.Token(res.Header.Get("ETag")), Mode: contract.ReadMode(res.Header.Get("X-Amz-Meta-" + contract.ModeKey))}
	if res.StatusCode == http.StatusOK && res.Header.Get("X-Amz-Checksum-Type") != "COMPOSITE" {
		n.Sum = web.ReadSum(res.Header.Get("X-Amz-Checksum-Crc32c"))
	}
	return n
}

// Attributes asks with HEAD. A refusal of it has no body, so that its 404 doesn't
// tell a missing key from a missing bucket or user, nor its 400 the region: a GET does.
func (b *bucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	head := request{method: http.MethodHead, key: key}
	if contract.SumWanted(ctx) {
		head.header = http.Header{"X-Amz-Checksum-Mode": {"ENABLED"}}
	}
	res, err := b.about(ctx, head)
	if answer, ok := errors.AsType[*refusal](err); ok && answer.status == http.StatusForbidden && head.header != nil {
		head.header = nil // of what KMS has encrypted it takes kms:Decrypt
		res, err = b.about(ctx, head)
	}
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
		ContentType: web.ContentType(res), Metadata: metadata, ModTime: web.Modified(res), Size: res.ContentLength, ETag: res.Header.Get("ETag"), AsFunc: named(res).As,
	}, nil
}
