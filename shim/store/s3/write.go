package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/markup"
	"nth/shim/store/web"
)

// abortTimeout bounds what a failed write spends on taking its parts back.
const abortTimeout = 10 * time.Second

// writer sends a blob that fits into one part with one PUT, a larger one in parts.
// Nothing of it can be seen before Close.
type writer struct {
	web.Parts
	ctx    context.Context
	b      *bucket
	key    string
	header http.Header // of the blob: type, metadata
	when   http.Header // the condition
	cond   contract.Condition
	upload string // "" until a second part is needed
	parts  []string
}

func (b *bucket) NewTypedWriter(ctx context.Context, key, contentType string, opts *driver.WriterOptions) (driver.Writer, error) {
	w := &writer{ctx: ctx, b: b, key: key, header: b.put.Clone(), when: http.Header{}}
	set := func(name, value string) {
		if value != "" {
			w.header.Set(name, value)
		}
	}
	set("Content-Type", contentType)
	set("Cache-Control", opts.CacheControl)
	set("Content-Disposition", opts.ContentDisposition)
	set("Content-Encoding", opts.ContentEncoding)
	set("Content-Language", opts.ContentLanguage)
	for k, v := range opts.Metadata {
		set("X-Amz-Meta-"+k, v)
	}
	if err := w.cond.Ask(opts.BeforeWrite); err != nil {
		return nil, err
	}
	switch {
	case opts.IfNotExist:
		w.when.Set("If-None-Match", "*")
	case w.cond.Replaces != "":
		w.when.Set("If-Match", string(w.cond.Replaces))
	}
	// S3 takes 10,000 parts.
	w.Parts = web.Parts{Send: w.sendPart, Double: 1000}
	return w, nil
}

func (w *writer) sendPart(body []byte) error {
	if w.upload == "" {
		if err := w.begin(); err != nil {
			return err
		}
	}
	res, err := w.b.object(w.ctx, request{method: http.MethodPut, key: w.key, body: body,
		query: url.Values{"partNumber": {strconv.Itoa(len(w.parts) + 1)}, "uploadId": {w.upload}}})
	if err != nil {
		return err
	}
	web.Drain(res)
	w.parts = append(w.parts, res.Header.Get("ETag"))
	return nil
}

func (w *writer) begin() error {
	res, err := w.b.do(w.ctx, request{method: http.MethodPost, key: w.key, header: w.header, query: url.Values{"uploads": {""}}})
	if err != nil {
		return err
	}
	doc, err := w.b.verify(w.ctx, res, "InitiateMultipartUploadResult")
	if err != nil {
		return err
	}
	if w.upload = doc.Get("UploadId"); w.upload == "" {
		return foreign("it names no upload")
	}
	return nil
}

// Close makes the blob visible, or leaves nothing.
func (w *writer) Close() error {
	err := w.Finish(w.ctx, w.putWhole, func(part []byte) error {
		if err := w.sendPart(part); err != nil {
			return err
		}
		return w.complete()
	})
	if err != nil && w.upload != "" {
		w.abort()
	}
	return w.conditional(err)
}

// conditional: where a version is to be replaced that is gone, S3 answers NoSuchKey.
func (w *writer) conditional(err error) error {
	if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Absent && w.when.Get("If-Match") != "" {
		return &contract.Error{Kind: contract.Exists, Cause: e.Cause}
	}
	return err
}

// abort is best effort: a lifecycle rule ends what is left of an upload.
func (w *writer) abort() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), abortTimeout)
	defer cancel()
	if res, err := w.b.do(ctx, request{method: http.MethodDelete, key: w.key, query: url.Values{"uploadId": {w.upload}}}); err == nil {
		web.Drain(res)
	}
}

func (w *writer) putWhole(body []byte) error {
	header := w.header.Clone()
	for name, values := range w.when {
		header[name] = values
	}
	res, err := w.b.object(w.ctx, request{method: http.MethodPut, key: w.key, header: header, body: body})
	if err != nil {
		return err
	}
	web.Drain(res)
	w.cond.Wrote = contract.Token(res.Header.Get("ETag"))
	return nil
}

func (w *writer) complete() error {
	var body strings.Builder
	body.WriteString("<CompleteMultipartUpload>")
	for i, etag := range w.parts {
		fmt.Fprintf(&body, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, markup.Escape(etag))
	}
	body.WriteString("</CompleteMultipartUpload>")
	res, err := w.b.do(w.ctx, request{method: http.MethodPost, key: w.key, header: w.when, body: []byte(body.String()), query: url.Values{"uploadId": {w.upload}}})
	if err != nil {
		return err
	}
	_, err = w.b.verify(w.ctx, res, "CompleteMultipartUploadResult")
	return err
}

// verify reads an answer of status 200 that may be an error all the same: S3
// begins it before it knows (CompleteMultipartUpload, CopyObject).
func (b *bucket) verify(ctx context.Context, res *http.Response, want string) (*markup.Element, error) {
	body, err := web.Body(ctx, res, server, web.MaxError)
	if err != nil {
		return nil, err
	}
	doc, err := markup.Parse(body)
	switch {
	case err == nil && doc.Name == want:
		return doc, nil
	case err == nil && doc.Name == "Error":
		return nil, b.meaning(readRefusal(http.StatusInternalServerError, body))
	}
	return nil, foreign("no " + want + " came")
}

func (b *bucket) Copy(ctx context.Context, dst, src string, opts *driver.CopyOptions) error {
	if err := contract.Before(opts.BeforeCopy); err != nil {
		return err
	}
	header := b.put.Clone()
	header.Set("X-Amz-Copy-Source", web.EscapePath("/"+b.name+"/"+b.prefix+src))
	res, err := b.do(ctx, request{method: http.MethodPut, key: dst, header: header})
	if err != nil {
		return err
	}
	_, err = b.verify(ctx, res, "CopyObjectResult")
	return err
}

// Delete asks first whether there is such a blob, unless a listing has told: S3's DELETE
// doesn't.
func (b *bucket) Delete(ctx context.Context, key string, opts *driver.DeleteOptions) error {
	var d contract.Deletion
	if err := d.Ask(opts.BeforeDelete); err != nil {
		return err
	}
	if !d.Listed {
		if _, err := b.Attributes(ctx, key); err != nil {
			return err
		}
	}
	res, err := b.do(ctx, request{method: http.MethodDelete, key: key})
	if err != nil {
		return err
	}
	web.Drain(res)
	return nil
}
