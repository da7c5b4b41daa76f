package s3

import (
	"context"
	"errors"
	"net/http"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// writer sends a blob that fits into one part with one PUT, a larger one in parts.
// Nothing of it can be seen before Close. Each request's signature covers the SHA-256 of
// what it sends, which the server verifies; one that isn't signed has a Content-MD5.
type writer struct {
	web.Parts
	b      *bucket
	key    string
	header http.Header // of the blob: type, metadata
	when   http.Header // the condition
	cond   contract.Condition
	up     *multipart // nil until a second part is needed
}

func (b *bucket) NewTypedWriter(ctx context.Context, key, contentType string, opts *driver.WriterOptions) (driver.Writer, error) {
	w := &writer{b: b, key: key, header: b.described(&driver.Attributes{ContentType: contentType, CacheControl: opts.CacheControl,
		ContentDisposition: opts.ContentDisposition, ContentEncoding: opts.ContentEncoding, ContentLanguage: opts.ContentLanguage, Metadata: opts.Metadata}),
		when: http.Header{}}
	// S3 takes 10,000 parts, of 5 MiB and more (Amazon S3 User Guide, "Multipart upload limits").
	w.Parts = web.Parts{To: w, Double: 1000, Least: minPart}
	if err := contract.Ask(opts.BeforeWrite, w.cond.As, w.How.As); err != nil {
		return nil, err
	}
	switch {
	case opts.IfNotExist:
		w.when.Set("If-None-Match", "*")
	case w.cond.Replaces != "":
		w.when.Set("If-Match", string(w.cond.Replaces))
	}
	w.Start(ctx)
	return w, nil
}

// described gives the header of a blob that is to be as it says.
func (b *bucket) described(a *driver.Attributes) http.Header {
	header := b.put.Clone()
	set := func(name, value string) {
		if value != "" {
			header.Set(name, value)
		}
	}
	set("Content-Type", a.ContentType)
	set("Cache-Control", a.CacheControl)
	set("Content-Disposition", a.ContentDisposition)
	set("Content-Encoding", a.ContentEncoding)
	set("Content-Language", a.ContentLanguage)
	for k, v := range a.Metadata {
		set("X-Amz-Meta-"+k, v)
	}
	return header
}

// Close makes the blob visible, or leaves nothing. Where a version is to be replaced that
// is gone, S3 answers NoSuchKey.
func (w *writer) Close() error {
	err := w.Parts.Close()
	if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Absent && w.when.Get("If-Match") != "" {
		return &contract.Error{Kind: contract.Exists, Cause: e.Cause}
	}
	return err
}

// Whole is the one PUT of a small blob.
func (w *writer) Whole(ctx context.Context, body []byte) error {
	header := w.header.Clone()
	for name, values := range w.when {
		header[name] = values
	}
	res, err := w.b.object(ctx, request{method: http.MethodPut, key: w.key, header: header, body: body})
	if err != nil {
		return err
	}
	web.Drain(res)
	w.cond.Wrote = contract.Token(res.Header.Get("ETag"))
	return nil
}

// Begin begins an upload in parts.
func (w *writer) Begin(ctx context.Context) (err error) {
	w.up, err = w.b.begin(ctx, w.key, w.header)
	return err
}

// Part sends a part. One that is sent again takes the place of the first.
func (w *writer) Part(ctx context.Context, n int, body []byte, _ bool) error {
	res, err := w.b.object(ctx, request{method: http.MethodPut, key: w.key, body: body, query: w.up.query(n)})
	if err != nil {
		return err
	}
	web.Drain(res)
	w.up.came(n, res.Header.Get("ETag"))
	return nil
}

// End makes the blob visible.
func (w *writer) End(ctx context.Context, _ int) error { return w.up.complete(ctx, w.when) }

// Abort takes the parts back.
func (w *writer) Abort(ctx context.Context) { w.up.abort(ctx) }

// Delete asks first whether there is such a blob, unless a listing has told: S3's DELETE
// doesn't.
func (b *bucket) Delete(ctx context.Context, key string, opts *driver.DeleteOptions) error {
	var d contract.Deletion
	if err := contract.Ask(opts.BeforeDelete, d.As); err != nil {
		return err
	}
	if !d.Listed {
		if _, err := b.Attributes(ctx, key); err != nil {
			return err
		}
	}
	return b.removeOne(ctx, key)
}

func (b *bucket) removeOne(ctx context.Context, key string) error {
	res, err := b.do(ctx, request{method: http.MethodDelete, key: key})
	if err != nil {
		return err
	}
	web.Drain(res)
	return nil
}
