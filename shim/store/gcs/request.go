package gcs

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// request is one call.
type request struct {
	method string
	path   string // escaped, after the endpoint
	query  url.Values
	header http.Header
	body   [][]byte // in pieces: what is large isn't copied
}

// The paths of both APIs (Cloud Storage, "Request endpoints"). A key is one segment
// to the JSON API, and several to the other.
func (b *bucket) objects() string           { return "/storage/v1/b/" + b.name + "/o" }
func (b *bucket) object(key string) string  { return b.objects() + "/" + url.PathEscape(b.prefix+key) }
func (b *bucket) upload() string            { return "/upload" + b.objects() }
func (b *bucket) content(key string) string { return "/" + b.name + "/" + escape(b.prefix+key) }

// escape keeps the slashes.
func escape(key string) string {
	return strings.ReplaceAll(url.PathEscape(key), "%2F", "/")
}

// do sends a request. An answer that isn't 2xx is an error.
func (b *bucket) do(ctx context.Context, r request) (*http.Response, error) {
	target := b.endpoint.Scheme + "://" + b.endpoint.Host + b.endpoint.EscapedPath() + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	return b.send(ctx, target, r)
}

func (b *bucket) send(ctx context.Context, target string, r request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, target, http.NoBody)
	if err != nil {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: err}
	}
	for _, piece := range r.body {
		req.ContentLength += int64(len(piece))
	}
	if req.ContentLength > 0 {
		req.GetBody = func() (io.ReadCloser, error) {
			pieces := make(net.Buffers, len(r.body))
			copy(pieces, r.body) // which it uses up
			return io.NopCloser(&pieces), nil
		}
		req.Body, _ = req.GetBody()
	}
	for _, h := range []http.Header{b.header, r.header} {
		for name, values := range h {
			req.Header[name] = values
		}
	}
	if b.token != nil {
		token, err := b.token.Get(ctx)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := b.Client.Do(req)
	if err != nil {
		return nil, web.Unreachable(ctx, err)
	}
	if res.StatusCode/100 == 2 || res.StatusCode == http.StatusPermanentRedirect && r.header.Get("Content-Range") != "" {
		return res, nil // 308 is "go on" to a part of an upload
	}
	return nil, b.refused(ctx, res)
}

// describe sends a request whose answer describes an object.
func (b *bucket) describe(ctx context.Context, r request) (*object, error) {
	res, err := b.do(ctx, r)
	if err != nil {
		return nil, err
	}
	return described(ctx, res)
}

// described reads such an answer. Anything else proves nothing.
func described(ctx context.Context, res *http.Response) (*object, error) {
	var o object
	if err := decode(ctx, res, &o); err != nil {
		return nil, err
	}
	if o.Kind != "storage#object" || o.Generation == "" {
		return nil, foreign("it describes no object")
	}
	return &o, nil
}

// maxPage bounds an answer in JSON, in bytes: 1,000 names of 1,024 bytes, each byte
// escaped, and what stands around them.
const maxPage = 16 << 20

func decode(ctx context.Context, res *http.Response, to any) error {
	body, err := web.Body(ctx, res, server, maxPage)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, to); err != nil {
		return foreign("it is not the JSON that was asked for")
	}
	return nil
}
