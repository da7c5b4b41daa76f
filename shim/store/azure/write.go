package azure

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// writer sends a blob that fits into one block with one Put Blob, a larger one in
// blocks. Nothing of it can be seen before Close; blocks that are never made into a
// blob are dropped by Azure after a week, which has no request for it.
type writer struct {
	web.Parts
	ctx    context.Context
	b      *bucket
	key    string
	header http.Header // of the blob: type, metadata
	when   http.Header // the condition
	cond   contract.Condition
	id     [16]byte // begins each block's name, see blockID
}

func (b *bucket) NewTypedWriter(ctx context.Context, key, contentType string, opts *driver.WriterOptions) (driver.Writer, error) {
	w := &writer{ctx: ctx, b: b, key: key, header: http.Header{}, when: http.Header{}}
	set := func(name, value string) {
		if value != "" {
			w.header.Set(name, value)
		}
	}
	set("X-Ms-Blob-Content-Type", contentType)
	set("X-Ms-Blob-Cache-Control", opts.CacheControl)
	set("X-Ms-Blob-Content-Disposition", opts.ContentDisposition)
	set("X-Ms-Blob-Content-Encoding", opts.ContentEncoding)
	set("X-Ms-Blob-Content-Language", opts.ContentLanguage)
	for k, v := range opts.Metadata {
		set("X-Ms-Meta-"+k, v)
	}
	w.Parts = web.Parts{To: w, Double: 5000} // Azure takes 50,000 blocks
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

// blockID names the n-th block: 16 random bytes of the writer's own, so that no
// two writers of one blob can mix their blocks, and a number. All that wait for one
// blob must have names of the same length: this is that of Azure's SDK for Go.
func (w *writer) blockID(n int) string {
	var id [64]byte
	copy(id[:], w.id[:])
	binary.BigEndian.PutUint32(id[16:], uint32(n))
	return base64.StdEncoding.EncodeToString(id[:])
}

// Whole is the one request of a small blob.
func (w *writer) Whole(ctx context.Context, body []byte) error {
	header := w.header.Clone()
	header.Set("X-Ms-Blob-Type", "BlockBlob")
	return w.publish(ctx, body, header, nil)
}

// Begin asks for nothing.
func (w *writer) Begin(context.Context) error {
	_, _ = rand.Read(w.id[:]) // it ends the program rather than fail
	return nil
}

// Part sends a block. One that is sent again takes the place of the first.
func (w *writer) Part(ctx context.Context, n int, body []byte, _ bool) error {
	res, err := w.b.do(ctx, request{method: http.MethodPut, key: w.key, body: body, query: url.Values{"comp": {"block"}, "blockid": {w.blockID(n)}}})
	if err != nil {
		return err
	}
	web.Drain(res)
	return nil
}

// End makes a blob of the blocks. If it was made already, by a request whose answer was
// lost, the same blocks make it again.
func (w *writer) End(ctx context.Context, blocks int) error {
	var body strings.Builder
	body.WriteString("<BlockList>")
	for n := range blocks {
		body.WriteString("<Latest>" + w.blockID(n) + "</Latest>")
	}
	body.WriteString("</BlockList>")
	return w.publish(ctx, []byte(body.String()), w.header.Clone(), url.Values{"comp": {"blocklist"}})
}

// Abort has nothing to ask for.
func (w *writer) Abort(context.Context) {}

// Close makes the blob visible, or leaves nothing.
func (w *writer) Close() error {
	return w.conditional(w.Parts.Close())
}

// publish is the one request that makes the blob visible, on the condition.
func (w *writer) publish(ctx context.Context, body []byte, header http.Header, query url.Values) error {
	for name, values := range w.when {
		header[name] = values
	}
	res, err := w.b.object(ctx, request{method: http.MethodPut, key: w.key, header: header, body: body, query: query})
	if err != nil {
		return err
	}
	web.Drain(res)
	if res.StatusCode != http.StatusCreated {
		return foreign("a write was answered with " + res.Status)
	}
	w.cond.Wrote = contract.Token(res.Header.Get("ETag"))
	return nil
}

// conditional gives what Azure answers to a write on condition its meaning.
func (w *writer) conditional(err error) error {
	e, ok := errors.AsType[*contract.Error](err)
	if !ok || len(w.when) == 0 {
		return err
	}
	creates := w.when.Get("If-None-Match") != ""
	if creates && e.Kind == contract.Exists {
		return w.blocked(e)
	}
	exists := false
	switch code := codeOf(err); {
	case code == codeOverwrite: // a SAS token that may create, and nothing else
		exists = creates
	case e.Kind == contract.Absent: // the version to be replaced is gone
		exists = !creates
	case code == codeInvalidBlockList: // somebody else's write dropped our blocks
		attrs, err := w.b.Attributes(w.ctx, w.key)
		if err == nil {
			exists = creates || attrs.ETag != w.when.Get("If-Match")
		}
	}
	if exists {
		return &contract.Error{Kind: contract.Exists, Cause: e.Cause}
	}
	return err
}

// blocked tells the blob that exists from blocks that a killed writer left, which Azurite
// takes for one (3.35.0) when a blob is created, and for none when it is read.
func (w *writer) blocked(exists *contract.Error) error {
	if _, err := w.b.Attributes(w.ctx, w.key); !isAbsent(err) {
		return exists
	}
	return &contract.Error{Kind: contract.Conflict, Cause: errors.New("it can't be created, as if it existed, and it isn't there: a writer that was killed has left blocks of it"),
		Hint: "upload anything to it without a condition, and delete that; or wait a week, until they are dropped"}
}

func isAbsent(err error) bool {
	e, ok := errors.AsType[*contract.Error](err)
	return ok && e.Kind == contract.Absent
}

// Delete removes a blob.
func (b *bucket) Delete(ctx context.Context, key string, opts *driver.DeleteOptions) error {
	if err := contract.Ask(opts.BeforeDelete); err != nil {
		return err
	}
	return b.delete(ctx, key, nil)
}

func (b *bucket) delete(ctx context.Context, key string, when http.Header) error {
	res, err := b.do(ctx, request{method: http.MethodDelete, key: key, header: when})
	if err != nil {
		return err
	}
	web.Drain(res)
	if res.StatusCode != http.StatusAccepted {
		return foreign("a deletion was answered with " + res.Status)
	}
	return nil
}
