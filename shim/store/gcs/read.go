package gcs

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// headerGeneration is the version's number (Cloud Storage, "HTTP headers").
const headerGeneration = "X-Goog-Generation"

// read asks for a blob's content. What is stored compressed comes as it is stored.
func (b *bucket) read(ctx context.Context, key, wanted string, pin contract.Token) (*http.Response, error) {
	if key == "" {
		return nil, contract.EmptyKey()
	}
	h := http.Header{"Accept-Encoding": {"gzip"}}
	if wanted != "" {
		h.Set("Range", wanted)
	}
	if pin != "" {
		h.Set("X-Goog-If-Generation-Match", string(pin))
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
	return web.Source{Server: server, Named: named,
		Get:    func(wanted string, pin contract.Token) (*http.Response, error) { return b.read(ctx, key, wanted, pin) },
		Stat:   func() (*driver.Attributes, error) { return b.Attributes(ctx, key) },
		Behind: func(err error) bool { return is(err, http.StatusRequestedRangeNotSatisfiable) },
	}.Reader(ctx, offset, length, opts)
}

// named is what an answer names of a blob. The checksum is of the whole object, also in the
// answer to a part.
func named(res *http.Response) web.Named {
	n := web.Named{Version: contract.Token(res.Header.Get(headerGeneration)), Mode: contract.ReadMode(res.Header.Get("X-Goog-Meta-" + contract.ModeKey))}
	for _, hashes := range res.Header.Values("X-Goog-Hash") {
		for hash := range strings.SplitSeq(hashes, ",") {
			if sum, ok := strings.CutPrefix(strings.TrimSpace(hash), "crc32c="); ok {
				n.Sum = web.ReadSum(sum)
			}
		}
	}
	return n
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
		AsFunc: web.Named{Version: contract.Token(o.Generation), Sum: web.ReadSum(o.CRC32C), Mode: contract.ReadMode(o.Metadata[contract.ModeKey])}.As,
	}, nil
}
