package s3

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

// partSize is how much of a large blob is held in memory and sent at once, in
// bytes. S3 takes 10,000 parts, so 80 GB; the size doubles every 1,000 parts.
const partSize = 8 << 20

// writer sends a blob that fits into one part with one PUT, a larger one in parts.
// Nothing of it can be seen before Close.
type writer struct {
	ctx    context.Context
	b      *bucket
	key    string
	header http.Header // of the blob: type, metadata
	when   http.Header // the condition
	buf    bytes.Buffer
	upload string // "" until a second part is needed
	parts  []part
	err    error
}

type part struct {
	PartNumber int
	ETag       string
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
	var cond contract.Condition
	if opts.BeforeWrite != nil {
		if err := opts.BeforeWrite(func(i any) bool {
			c, ok := i.(**contract.Condition)
			if ok {
				*c = &cond
			}
			return ok
		}); err != nil {
			return nil, err
		}
	}
	switch {
	case opts.IfNotExist:
		w.when.Set("If-None-Match", "*")
	case cond.Replaces != "":
		w.when.Set("If-Match", string(cond.Replaces))
	}
	return w, nil
}

func (w *writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.buf.Write(p)
	for size := partSize << (len(w.parts) / 1000); w.err == nil && w.buf.Len() > size; {
		w.err = w.sendPart(w.buf.Next(size))
	}
	return len(p), w.err
}

func (w *writer) sendPart(body []byte) error {
	if w.upload == "" {
		if err := w.begin(); err != nil {
			return err
		}
	}
	n := len(w.parts) + 1
	res, err := w.b.do(w.ctx, request{method: http.MethodPut, key: w.key, body: body,
		query: url.Values{"partNumber": {strconv.Itoa(n)}, "uploadId": {w.upload}}})
	if err != nil {
		return err
	}
	drain(res)
	w.parts = append(w.parts, part{n, res.Header.Get("ETag")})
	return nil
}

func (w *writer) begin() error {
	res, err := w.b.do(w.ctx, request{method: http.MethodPost, key: w.key, header: w.header, query: url.Values{"uploads": {""}}})
	if err != nil {
		return err
	}
	defer drain(res)
	var answer struct{ UploadId string }
	if err := xml.NewDecoder(res.Body).Decode(&answer); err != nil || answer.UploadId == "" {
		return &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("the answer names no upload: %v", err), Hint: "is endpoint= an S3 server?"}
	}
	w.upload = answer.UploadId
	return nil
}

// Close makes the blob visible, or leaves nothing.
func (w *writer) Close() error {
	if err := w.ctx.Err(); err != nil && w.err == nil {
		w.err = err
	}
	switch {
	case w.err == nil && w.upload == "":
		w.err = w.putWhole()
	case w.err == nil:
		if w.err = w.sendPart(w.buf.Bytes()); w.err == nil {
			w.err = w.complete()
		}
	}
	if w.err != nil && w.upload != "" {
		// Best effort: a lifecycle rule ends what is left of it.
		if res, err := w.b.do(context.WithoutCancel(w.ctx), request{method: http.MethodDelete, key: w.key, query: url.Values{"uploadId": {w.upload}}}); err == nil {
			drain(res)
		}
	}
	return w.err
}

func (w *writer) putWhole() error {
	header := w.header.Clone()
	for name, values := range w.when {
		header[name] = values
	}
	res, err := w.b.do(w.ctx, request{method: http.MethodPut, key: w.key, header: header, body: w.buf.Bytes()})
	if err != nil {
		return err
	}
	drain(res)
	return nil
}

func (w *writer) complete() error {
	type completion struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []part
	}
	body, err := xml.Marshal(completion{Part: w.parts})
	if err != nil {
		return err
	}
	res, err := w.b.do(w.ctx, request{method: http.MethodPost, key: w.key, header: w.when, body: body, query: url.Values{"uploadId": {w.upload}}})
	if err != nil {
		return err
	}
	return w.b.verify(res, "CompleteMultipartUploadResult")
}

// verify reads an answer of status 200 that may be an error all the same: S3
// begins it before it knows (CompleteMultipartUpload, CopyObject).
func (b *bucket) verify(res *http.Response, want string) error {
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	if err != nil {
		return unreachable(context.Background(), err)
	}
	var root struct{ XMLName xml.Name }
	if err := xml.Unmarshal(body, &root); err != nil || root.XMLName.Local != want {
		return b.meaning(http.StatusInternalServerError, body, "")
	}
	return nil
}

func (b *bucket) Copy(ctx context.Context, dst, src string, opts *driver.CopyOptions) error {
	if opts.BeforeCopy != nil {
		if err := opts.BeforeCopy(func(any) bool { return false }); err != nil {
			return err
		}
	}
	header := b.put.Clone()
	header.Set("X-Amz-Copy-Source", escape("/"+b.name+"/"+b.prefix+src))
	res, err := b.do(ctx, request{method: http.MethodPut, key: dst, header: header})
	if err != nil {
		return err
	}
	return b.verify(res, "CopyObjectResult")
}

// Delete asks first whether there is such a blob: S3's DELETE doesn't tell.
func (b *bucket) Delete(ctx context.Context, key string, opts *driver.DeleteOptions) error {
	if opts.BeforeDelete != nil {
		if err := opts.BeforeDelete(func(any) bool { return false }); err != nil {
			return err
		}
	}
	if _, err := b.Attributes(ctx, key); err != nil {
		return err
	}
	res, err := b.do(ctx, request{method: http.MethodDelete, key: key})
	if err != nil {
		return err
	}
	drain(res)
	return nil
}

func sortObjects(o []*driver.ListObject) {
	slices.SortFunc(o, func(x, y *driver.ListObject) int { return cmp.Compare(x.Key, y.Key) })
}
