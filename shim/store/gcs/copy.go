package gcs

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// rewritten is the answer to one step of a copy.
type rewritten struct {
	Kind         string `json:"kind"`
	Done         bool   `json:"done"`
	RewriteToken string `json:"rewriteToken"`
}

// Copy copies within the store, in as many steps as it takes (Cloud Storage JSON
// API, "Objects: rewrite").
func (b *bucket) Copy(ctx context.Context, dst, src string, opts *driver.CopyOptions) error {
	if err := contract.Ask(opts.BeforeCopy); err != nil {
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
		contract.Came(ctx)
		if r.RewriteToken == "" {
			return foreign("a copy is neither done nor going on")
		}
		q.Set("rewriteToken", r.RewriteToken)
	}
}

// Delete removes a blob.
func (b *bucket) Delete(ctx context.Context, key string, opts *driver.DeleteOptions) error {
	if err := contract.Ask(opts.BeforeDelete); err != nil {
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
