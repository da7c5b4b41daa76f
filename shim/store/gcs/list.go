package gcs

import (
	"context"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

// page is one of a listing (Cloud Storage JSON API, "Objects: list").
type page struct {
	Kind          string   `json:"kind"`
	NextPageToken string   `json:"nextPageToken"`
	Prefixes      []string `json:"prefixes"`
	Items         []object `json:"items"`
}

func (b *bucket) list(ctx context.Context, query map[string]string) (*page, error) {
	q := url.Values{}
	for name, value := range query {
		if value != "" {
			q.Set(name, value)
		}
	}
	res, err := b.do(ctx, request{method: http.MethodGet, path: b.objects(), query: q})
	if err != nil {
		return nil, err
	}
	var p page
	if err := decode(ctx, res, &p); err != nil {
		return nil, err
	}
	if p.Kind != "storage#objects" {
		return nil, foreign("no listing came")
	}
	return &p, nil
}

func (b *bucket) ListPaged(ctx context.Context, opts *driver.ListOptions) (*driver.ListPage, error) {
	if err := contract.Ask(opts.BeforeList); err != nil {
		return nil, err
	}
	query := map[string]string{"prefix": b.prefix + opts.Prefix, "delimiter": opts.Delimiter, "pageToken": string(opts.PageToken)}
	if opts.PageSize > 0 {
		query["maxResults"] = strconv.Itoa(opts.PageSize)
	}
	p, err := b.list(ctx, query)
	if err != nil {
		return nil, err
	}
	out := &driver.ListPage{}
	for _, o := range p.Items {
		entry, err := b.entry(o)
		if err != nil {
			return nil, err
		}
		if entry.Key != "" { // else the prefix itself, a "folder" made by hand
			out.Objects = append(out.Objects, entry)
		}
	}
	for _, prefix := range p.Prefixes {
		key, ours := strings.CutPrefix(prefix, b.prefix)
		if !ours {
			return nil, foreign("a key is outside of the prefix")
		}
		out.Objects = append(out.Objects, &driver.ListObject{Key: key, IsDir: true})
	}
	sort.Slice(out.Objects, func(i, j int) bool { return out.Objects[i].Key < out.Objects[j].Key })
	if p.NextPageToken != "" {
		out.NextPageToken = []byte(p.NextPageToken)
		if p.NextPageToken == string(opts.PageToken) {
			return nil, foreign("the listing goes round in a circle")
		}
	}
	return out, nil
}

func (b *bucket) entry(o object) (*driver.ListObject, error) {
	key, ours := strings.CutPrefix(o.Name, b.prefix)
	if !ours {
		return nil, foreign("a key is outside of the prefix")
	}
	attrs, err := o.attributes()
	if err != nil {
		return nil, err
	}
	return &driver.ListObject{Key: key, ModTime: attrs.ModTime, Size: attrs.Size, MD5: attrs.MD5, AsFunc: attrs.AsFunc}, nil
}
