package gcs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// writer sends a blob that fits into one part with one request, a larger one as a
// resumable upload, whose parts go one after the other. Nothing of it can be seen before
// Close. Google compares the content with the checksum that is sent with its end.
type writer struct {
	web.Parts
	b      *bucket
	about  object
	when   url.Values // name and condition
	cond   contract.Condition
	upload string // the upload's own address; "" until a second part is needed
	part   int    // the one of which something was sent
	begins int64  // of that part
	kept   int64  // how much of all of it Google has
}

func (b *bucket) NewTypedWriter(ctx context.Context, key, contentType string, opts *driver.WriterOptions) (driver.Writer, error) {
	if key == "" {
		return nil, contract.EmptyKey()
	}
	w := &writer{b: b, part: -1, when: url.Values{"name": {b.prefix + key}}, about: object{
		ContentType: contentType, CacheControl: opts.CacheControl, ContentDisposition: opts.ContentDisposition,
		ContentEncoding: opts.ContentEncoding, ContentLanguage: opts.ContentLanguage, Metadata: opts.Metadata}}
	w.Parts = web.Parts{To: w, InTurn: true, Unit: 256 << 10} // Cloud Storage, "Resumable uploads"
	if err := contract.Ask(opts.BeforeWrite, w.cond.As, w.How.As); err != nil {
		return nil, err
	}
	switch {
	case opts.IfNotExist:
		w.when.Set("ifGenerationMatch", "0")
	case w.cond.Replaces != "":
		w.when.Set("ifGenerationMatch", string(w.cond.Replaces))
	}
	w.Start(ctx)
	return w, nil
}

// boundary stands between the description, which has no line of its own, and the
// content, in which it must not be.
const boundary = "nth-3d1c0f6b7a2e48959c0d5b1e6f7a8c24"

// Whole sends description and content in one request (Cloud Storage, "Multipart
// uploads").
func (w *writer) Whole(ctx context.Context, content []byte) error {
	described := w.about
	described.CRC32C = web.WriteSum(web.Sum(content))
	about, err := json.Marshal(described)
	if err != nil {
		return &contract.Error{Kind: contract.Invalid, Cause: err}
	}
	line := boundary
	for n := 0; bytes.Contains(content, []byte(line)); n++ {
		line = fmt.Sprint(boundary, n)
	}
	head := fmt.Appendf(nil, "--%s\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n%s\r\n--%s\r\nContent-Type: %s\r\n\r\n", line, about, line, w.about.ContentType)
	o, err := w.b.describe(ctx, request{method: http.MethodPost, path: w.b.upload(), query: w.query("multipart"),
		body:   [][]byte{head, content, fmt.Appendf(nil, "\r\n--%s--\r\n", line)},
		header: http.Header{"Content-Type": {"multipart/related; boundary=" + line}}})
	if err == nil {
		w.cond.Wrote = contract.Token(o.Generation)
	}
	return err
}

func (w *writer) query(how string) url.Values {
	q := url.Values{"uploadType": {how}}
	for name, values := range w.when {
		q[name] = values
	}
	return q
}
