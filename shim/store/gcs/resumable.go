package gcs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// Begin gets the upload's own address, with which anyone could write to it.
func (w *writer) Begin(ctx context.Context) error {
	about, err := json.Marshal(w.about)
	if err != nil {
		return &contract.Error{Kind: contract.Invalid, Cause: err}
	}
	res, err := w.b.do(ctx, request{method: http.MethodPost, path: w.b.upload(), query: w.query("resumable"), body: [][]byte{about},
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

// Part sends a part, or what Google hasn't got of it: after a request that broke, it is asked
// how much it has kept, and so it is when it says that it has kept less than came.
func (w *writer) Part(ctx context.Context, n int, body []byte, last bool) error {
	if n == w.part {
		if whole, err := w.look(ctx, int64(len(body)), last); whole || err != nil {
			return err
		}
	} else {
		w.part, w.begins = n, w.kept
	}
	for {
		whole, err := w.send(ctx, body, last)
		if whole || err != nil {
			return err
		}
	}
}

// end is where a part ends in the blob.
func (w *writer) end(length int64) int64 { return w.begins + length }

// send sends what is left of a part, and tells whether Google has all of it.
func (w *writer) send(ctx context.Context, body []byte, last bool) (bool, error) {
	before, end := w.kept, w.end(int64(len(body)))
	span, total, h := fmt.Sprintf("%d-%d", before, end-1), "*", http.Header{}
	if before == end { // all of it is there, and Google doesn't know yet that it is all
		span = "*"
	}
	if last {
		total = strconv.FormatInt(end, 10)
		h.Set("X-Goog-Hash", "crc32c="+web.WriteSum(w.Sum()))
	}
	h.Set("Content-Range", "bytes "+span+"/"+total)
	res, err := w.b.send(ctx, w.upload, request{method: http.MethodPut, body: [][]byte{body[before-w.begins:]}, header: h})
	if err != nil {
		return false, err
	}
	whole, err := w.state(ctx, res, end, last)
	if err == nil && !whole && w.kept == before {
		err = &contract.Error{Kind: contract.Unreachable, Cause: errors.New("the server kept nothing of what was sent")}
	}
	return whole, err
}

// look asks how much of the upload is there (Cloud Storage, "Check the status of a
// resumable upload").
func (w *writer) look(ctx context.Context, length int64, last bool) (bool, error) {
	total := "*"
	if last {
		total = strconv.FormatInt(w.end(length), 10)
	}
	res, err := w.b.send(ctx, w.upload, request{method: http.MethodPut, header: http.Header{"Content-Range": {"bytes */" + total}}})
	if err != nil {
		return false, err
	}
	return w.state(ctx, res, w.end(length), last)
}

// state reads what an answer says of the upload: how much is there, or that it is the blob.
func (w *writer) state(ctx context.Context, res *http.Response, end int64, last bool) (bool, error) {
	if res.StatusCode == http.StatusPermanentRedirect {
		web.Drain(res)
		kept := int64(0)
		if span := res.Header.Get("Range"); span != "" {
			n, err := strconv.ParseInt(strings.TrimPrefix(span, "bytes=0-"), 10, 64)
			if err != nil {
				return false, foreign("it doesn't tell how much of an upload is there")
			}
			kept = n + 1
		}
		if kept < w.begins || kept > end {
			return false, &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("of an upload %d bytes are there, and %d were sent", kept, end)}
		}
		w.kept = kept
		return kept == end && !last, nil
	}
	o, err := described(ctx, res)
	if err != nil {
		return false, err
	}
	if !last {
		return false, foreign("a part of an upload ended it")
	}
	return true, w.verify(ctx, o, end)
}

// verify: Google compares the content with its checksum only if it knows the header. What
// differs is taken back.
func (w *writer) verify(ctx context.Context, o *object, size int64) error {
	sum := web.ReadSum(o.CRC32C)
	if o.Size == strconv.FormatInt(size, 10) && (sum == nil || uint32(*sum) == w.Sum()) {
		w.cond.Wrote = contract.Token(o.Generation)
		return nil
	}
	web.Undo(ctx, func(ctx context.Context) {
		if res, err := w.b.do(ctx, request{method: http.MethodDelete, path: w.b.objects() + "/" + url.PathEscape(w.when.Get("name")),
			query: url.Values{"ifGenerationMatch": {o.Generation}}}); err == nil {
			web.Drain(res)
		}
	})
	return &contract.Error{Kind: contract.Unreachable, Cause: errors.New("what is stored differs from what was sent, by its checksum")}
}

// End does nothing: the last part has ended it.
func (w *writer) End(context.Context, int) error { return nil }

// Abort ends the upload; without that it ends by itself after a week.
func (w *writer) Abort(ctx context.Context) {
	if res, err := w.b.send(ctx, w.upload, request{method: http.MethodDelete}); err == nil {
		web.Drain(res)
	}
}
