package s3

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/markup"
	"nth/shim/store/web"
)

// maxPage bounds a page of a listing, in bytes: 1,000 keys of 1,024 bytes, each
// escaped to three times its length, and what stands around them.
const maxPage = 8 << 20

// ListPaged asks with ListObjectsV2.
func (b *bucket) ListPaged(ctx context.Context, opts *driver.ListOptions) (*driver.ListPage, error) {
	if err := contract.Ask(opts.BeforeList); err != nil {
		return nil, err
	}
	q := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "prefix": {b.prefix + opts.Prefix}}
	if opts.Delimiter != "" {
		q.Set("delimiter", opts.Delimiter)
	}
	if opts.PageSize > 0 {
		q.Set("max-keys", strconv.Itoa(opts.PageSize))
	}
	if len(opts.PageToken) > 0 {
		q.Set("continuation-token", string(opts.PageToken))
	}
	res, err := b.do(ctx, request{method: http.MethodGet, ofBucket: true, query: q})
	if err != nil {
		return nil, err
	}
	body, err := web.Body(ctx, res, server, maxPage)
	if err != nil {
		return nil, err
	}
	page, err := b.page(body)
	if err == nil && page.NextPageToken != nil && string(page.NextPageToken) == string(opts.PageToken) {
		err = foreign("the listing goes round in a circle")
	}
	return page, err
}

// page reads one page. Whatever isn't complete is an error: a listing that ends
// too early would report items as missing.
func (b *bucket) page(body []byte) (*driver.ListPage, error) {
	doc, err := markup.Parse(body)
	if err != nil {
		return nil, foreign("no listing came: " + err.Error())
	}
	if doc.Name == "Error" {
		return nil, b.meaning(readRefusal(http.StatusInternalServerError, body))
	}
	if doc.Name != "ListBucketResult" {
		return nil, foreign(fmt.Sprintf("no listing came, but <%.40s>", doc.Name))
	}
	decode := func(s string) (string, error) { return s, nil }
	if doc.Get("EncodingType") == "url" { // some servers know no encoding, and say so by leaving it out
		decode = url.QueryUnescape
	}
	p := &driver.ListPage{}
	for _, c := range doc.All("Contents") {
		o, err := b.entry(c, decode)
		if err != nil {
			return nil, err
		}
		if o.Key != "" { // else the prefix itself, a "folder" made by hand
			p.Objects = append(p.Objects, o)
		}
	}
	for _, c := range doc.All("CommonPrefixes") {
		key, err := b.key(c.Raw("Prefix"), decode)
		if err != nil {
			return nil, err
		}
		p.Objects = append(p.Objects, &driver.ListObject{Key: key, IsDir: true})
	}
	sort.Slice(p.Objects, func(i, j int) bool { return p.Objects[i].Key < p.Objects[j].Key })
	switch more, token := doc.Get("IsTruncated"), doc.Raw("NextContinuationToken"); {
	case more == "true" && token != "":
		p.NextPageToken = []byte(token)
	case more != "false":
		return nil, foreign("the listing doesn't tell whether it is complete")
	}
	return p, nil
}

func (b *bucket) key(raw string, decode func(string) (string, error)) (string, error) {
	key, err := decode(raw)
	if err != nil {
		return "", foreign("a key is not escaped as it says")
	}
	key, ours := strings.CutPrefix(key, b.prefix)
	if !ours {
		return "", foreign("a key is outside of the prefix")
	}
	return key, nil
}

func (b *bucket) entry(c *markup.Element, decode func(string) (string, error)) (*driver.ListObject, error) {
	key, err := b.key(c.Raw("Key"), decode)
	if err != nil {
		return nil, err
	}
	size, err := strconv.ParseInt(c.Get("Size"), 10, 64)
	if err != nil {
		return nil, foreign("a size is no number")
	}
	modified, err := time.Parse(time.RFC3339, c.Get("LastModified"))
	if err != nil {
		return nil, foreign("a date is none")
	}
	return &driver.ListObject{Key: key, ModTime: modified, Size: size, AsFunc: contract.Token(c.Get("ETag")).As}, nil
}
