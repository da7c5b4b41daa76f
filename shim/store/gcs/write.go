package gcs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// abortTimeout bounds what a failed write spends on taking its parts back.
const abortTimeout = 10 * time.Second

// writer sends a blob that fits into one part with one request, a larger one as a
// resumable upload. Nothing of it can be seen before Close.
type writer struct {
	web.Parts
	ctx    context.Context
	b      *bucket
	about  object
	when   url.Values // name and condition
	cond   contract.Condition
	upload string // the upload's own address; "" until a second part is needed
	sent   int64
}

func (b *bucket) NewTypedWriter(ctx context.Context, key, contentType string, opts *driver.WriterOptions) (driver.Writer, error) {
	if key == "" {
		return nil, contract.EmptyKey()
	}
	w := &writer{ctx: ctx, b: b, when: url.Values{"name": {b.prefix + key}}, about: object{
		ContentType: contentType, CacheControl: opts.CacheControl, ContentDisposition: opts.ContentDisposition,
		ContentEncoding: opts.ContentEncoding, ContentLanguage: opts.ContentLanguage, Metadata: opts.Metadata}}
	if err := w.cond.Ask(opts.BeforeWrite); err != nil {
		return nil, err
	}
	switch {
	case opts.IfNotExist:
		w.when.Set("ifGenerationMatch", "0")
	case w.cond.Replaces != "":
		w.when.Set("ifGenerationMatch", string(w.cond.Replaces))
	}
	w.Parts.Send = w.sendPart
	return w, nil
}

// Close makes the blob visible, or leaves nothing.
func (w *writer) Close() error {
	err := w.Finish(w.ctx, w.putWhole, w.sendLast)
	if err != nil && w.upload != "" {
		w.abort()
	}
	return err
}

// boundary stands between the description, which has no line of its own, and the
// content, in which it must not be.
const boundary = "nth-3d1c0f6b7a2e48959c0d5b1e6f7a8c24"

// putWhole sends description and content in one request (Cloud Storage, "Multipart
// uploads").
func (w *writer) putWhole(content []byte) error {
	about, err := json.Marshal(w.about)
	if err != nil {
		return &contract.Error{Kind: contract.Invalid, Cause: err}
	}
	line := boundary
	for n := 0; bytes.Contains(content, []byte(line)); n++ {
		line = fmt.Sprint(boundary, n)
	}
	var body bytes.Buffer
	fmt.Fprintf(&body, "--%s\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n%s\r\n--%s\r\nContent-Type: %s\r\n\r\n", line, about, line, w.about.ContentType)
	body.Write(content)
	fmt.Fprintf(&body, "\r\n--%s--\r\n", line)
	o, err := w.b.describe(w.ctx, request{method: http.MethodPost, path: w.b.upload(), query: w.query("multipart"), body: body.Bytes(),
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

// begin gets the upload's own address, with which anyone could write to it.
func (w *writer) begin() error {
	about, err := json.Marshal(w.about)
	if err != nil {
		return &contract.Error{Kind: contract.Invalid, Cause: err}
	}
	res, err := w.b.do(w.ctx, request{method: http.MethodPost, path: w.b.upload(), query: w.query("resumable"), body: about,
		header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}, "X-Upload-Content-Type": {w.about.ContentType}}})
	if err != nil {
		return err
	}
	web.Drain(res)
	at, err := url.Parse(res.Header.Get("Location"))
	if err != nil || at.Hostname() == "" || at.Scheme != w.b.endpoint.Scheme {
		return foreign("it names no upload")
	}
	w.upload = at.String()
	return nil
}

func (w *writer) sendPart(part []byte) error {
	if w.upload == "" {
		if err := w.begin(); err != nil {
			return err
		}
	}
	end := w.sent + int64(len(part)) - 1
	res, err := w.put(part, fmt.Sprintf("bytes %d-%d/*", w.sent, end))
	if err != nil {
		return err
	}
	web.Drain(res)
	if got := strings.TrimPrefix(res.Header.Get("Range"), "bytes="); res.StatusCode != http.StatusPermanentRedirect || got != fmt.Sprintf("0-%d", end) {
		return &contract.Error{Kind: contract.Unreachable, Cause: errors.New("the server kept a part of what was sent")}
	}
	w.sent = end + 1
	return nil
}

func (w *writer) sendLast(part []byte) error {
	end := w.sent + int64(len(part))
	res, err := w.put(part, fmt.Sprintf("bytes %d-%d/%d", w.sent, end-1, end))
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusPermanentRedirect {
		web.Drain(res)
		return foreign("the last part of an upload didn't end it")
	}
	_, err = described(w.ctx, res)
	return err
}

func (w *writer) put(part []byte, span string) (*http.Response, error) {
	return w.b.send(w.ctx, w.upload, request{method: http.MethodPut, body: part, header: http.Header{"Content-Range": {span}}})
}

// abort is best effort: an upload ends by itself after a week.
func (w *writer) abort() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), abortTimeout)
	defer cancel()
	if res, err := w.b.send(ctx, w.upload, request{method: http.MethodDelete}); err == nil {
		web.Drain(res)
	}
}

// rewritten is the answer to one step of a copy.
type rewritten struct {
	Kind         string `json:"kind"`
	Done         bool   `json:"done"`
	RewriteToken string `json:"rewriteToken"`
}

// Copy copies within the store, in as many steps as it takes (Cloud Storage JSON
// API, "Objects: rewrite").
func (b *bucket) Copy(ctx context.Context, dst, src string, opts *driver.CopyOptions) error {
	if err := contract.Before(opts.BeforeCopy); err != nil {
		return err
	}
	if src == "" || dst == "" {
		return contract.EmptyKey()
	}
	q := url.Values{}
	for {
		res, err := b.do(ctx, request{method: http.MethodPost, path: b.object(src) + "/rewriteTo" + strings.TrimPrefix(b.object(dst), "/storage/v1"), query: q})
		if err != nil {
			return b.missing(ctx, src, err)
		}
		var r rewritten
		if err := decode(ctx, res, &r); err != nil {
			return err
		}
		if r.Kind == "storage#rewriteResponse" && r.Done {
			return nil
		}
		if r.RewriteToken == "" {
			return foreign("a copy is neither done nor going on")
		}
		q.Set("rewriteToken", r.RewriteToken)
	}
}

// Delete removes a blob.
func (b *bucket) Delete(ctx context.Context, key string, opts *driver.DeleteOptions) error {
	if err := contract.Before(opts.BeforeDelete); err != nil {
		return err
	}
	if key == "" {
		return contract.EmptyKey()
	}
	res, err := b.do(ctx, request{method: http.MethodDelete, path: b.object(key)})
	if err != nil {
		return b.missing(ctx, key, err)
	}
	body, err := web.Body(ctx, res, server, web.MaxError)
	if err != nil {
		return err
	}
	// fake-gcs-server's is 200 and null.
	if res.StatusCode != http.StatusNoContent && strings.TrimSpace(string(body)) != "null" {
		return foreign("a deletion has no content")
	}
	return nil
}
