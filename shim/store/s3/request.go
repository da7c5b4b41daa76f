package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// request is one call; its key is the blob's, without the prefix.
type request struct {
	method, key string
	ofBucket    bool // it has no key, and is about the bucket itself
	query       url.Values
	header      http.Header
	body        []byte
}

// do signs and sends a request. An answer that isn't 2xx is an error.
func (b *bucket) do(ctx context.Context, r request) (*http.Response, error) {
	if (r.key == "") != r.ofBucket {
		return nil, contract.EmptyKey() // DELETE would be the bucket's
	}
	target := b.url(r.key)
	target.RawQuery = strings.ReplaceAll(r.query.Encode(), "+", "%20")
	req, err := http.NewRequestWithContext(ctx, r.method, target.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: err}
	}
	for _, h := range []http.Header{b.header, r.header} {
		for name, values := range h {
			req.Header[name] = values
		}
	}
	if len(r.body) == 0 {
		req.Body = nil
		if r.method == http.MethodPut || r.method == http.MethodPost {
			req.Body = http.NoBody // so that Content-Length: 0 is sent
		}
	}
	if err := b.sign(ctx, req, r.body); err != nil {
		return nil, err
	}
	res, err := b.Client.Do(req)
	if err != nil {
		return nil, web.Unreachable(ctx, err)
	}
	if res.StatusCode/100 != 2 {
		defer res.Body.Close()
		return nil, b.refused(res)
	}
	return res, nil
}

// object is do for an answer about one blob, which always names its version.
func (b *bucket) object(ctx context.Context, r request) (*http.Response, error) {
	res, err := b.do(ctx, r)
	if err == nil && res.Header.Get("ETag") == "" {
		res.Body.Close()
		return nil, foreign("it has no ETag")
	}
	return res, err
}

// about is do for an answer of which nothing but that it came is needed: a gateway has
// files that it was never told a version of. That S3 answered, and no login page, is told
// by the version or by the request's ID.
func (b *bucket) about(ctx context.Context, r request) (*http.Response, error) {
	res, err := b.do(ctx, r)
	if err == nil && res.Header.Get("ETag") == "" && res.Header.Get("X-Amz-Request-Id") == "" {
		res.Body.Close()
		return nil, foreign("it has neither an ETag nor an ID")
	}
	return res, err
}

// url gives a blob's address, or with an empty key the bucket's.
func (b *bucket) url(key string) *url.URL {
	u := *b.endpoint
	base := strings.TrimSuffix(u.Path, "/")
	if b.pathStyle {
		base += "/" + b.name
	} else {
		u.Host = b.name + "." + u.Host
	}
	u.Path = base + "/"
	if key != "" {
		u.Path += b.prefix + key
	}
	u.RawPath = web.EscapePath(u.Path)
	return &u
}

func (b *bucket) sign(ctx context.Context, req *http.Request, body []byte) error {
	if b.identity == nil {
		if len(body) > 0 {
			sum := md5.Sum(body)
			req.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
		}
		return nil
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	return b.identity.Sign(ctx, b.signer, req, hash, "s3", b.region)
}
