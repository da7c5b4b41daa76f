package azure

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// version of the protocol that is spoken; Azure and Azure Stack keep every version
// that they had (Azure Storage, "Versioning").
const version = "2021-12-02"

// request is one call; its key is the blob's, without the prefix.
type request struct {
	method, key string
	ofContainer bool // it has no key, and is about the container itself
	query       url.Values
	header      http.Header
	body        []byte
}

// do authorizes and sends a request. An answer that isn't 2xx is an error.
func (b *bucket) do(ctx context.Context, r request) (*http.Response, error) {
	if (r.key == "") != r.ofContainer {
		return nil, contract.EmptyKey() // DELETE would be the container's
	}
	req, err := http.NewRequestWithContext(ctx, r.method, b.url(r.key), bytes.NewReader(r.body))
	if err != nil {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: err}
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if len(r.body) > 0 { // Azure compares what came with it
		sum := md5.Sum(r.body)
		req.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	} else {
		req.Body = nil
		if r.method == http.MethodPut {
			req.Body = http.NoBody // so that Content-Length: 0 is sent
		}
	}
	req.Header.Set("X-Ms-Version", version)
	req.URL.RawQuery = encode(r.query)
	if err := b.authorize(ctx, req); err != nil {
		return nil, err
	}
	res, err := b.Client.Do(req)
	if err != nil {
		return nil, web.Unreachable(ctx, err)
	}
	if res.StatusCode/100 != 2 {
		return nil, b.refused(res)
	}
	if res.Header.Get("X-Ms-Request-Id") == "" { // each answer of Azure has one
		res.Body.Close()
		return nil, foreign("it has no x-ms-request-id")
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

// url gives a blob's address, or with an empty key the container's.
func (b *bucket) url(key string) string {
	s := b.endpoint.Scheme + "://" + b.endpoint.Host + web.EscapePath(b.endpoint.Path) + "/" + b.name
	if key != "" {
		s += "/" + web.EscapePath(escapeKey(b.prefix+key))
	}
	return s
}

// encode writes a space as %20, which is a plus sign to nobody.
func encode(q url.Values) string { return strings.ReplaceAll(q.Encode(), "+", "%20") }
