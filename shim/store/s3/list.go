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
	p := &driver.ListPage{}
	var made []driver.ListObject // of which the next ones are
	var wrong error              // the first, if the whole is a listing
	doc, err := markup.Rows(body, 1, func(e *markup.Element) bool {
		if e.Name != "Contents" && e.Name != "CommonPrefixes" {
			return false
		}
		if len(made) == 0 {
			made = make([]driver.ListObject, madeAtOnce)
		}
		o := &made[0]
		made = made[1:]
		if err := entry(o, e); err != nil && wrong == nil {
			wrong = err
		}
		p.Objects = append(p.Objects, o)
		return true
	})
	switch {
	case err != nil:
		return nil, foreign("no listing came: " + err.Error())
	case doc.Name == "Error":
		return nil, b.meaning(readRefusal(http.StatusInternalServerError, body))
	case doc.Name != "ListBucketResult":
		return nil, foreign(fmt.Sprintf("no listing came, but <%.40s>", doc.Name))
	case wrong != nil:
		return nil, wrong
	}
	encoded := doc.Get("EncodingType") == "url" // some servers know no encoding, and say so by leaving it out
	kept := p.Objects[:0]
	for _, o := range p.Objects {
		if encoded {
			if o.Key, err = url.QueryUnescape(o.Key); err != nil {
				return nil, foreign("a key is not escaped as it says")
			}
		}
		var ours bool
		if o.Key, ours = strings.CutPrefix(o.Key, b.prefix); !ours {
			return nil, foreign("a key is outside of the prefix")
		}
		if o.Key != "" || o.IsDir { // else the prefix itself, a "folder" made by hand
			kept = append(kept, o)
		}
	}
	p.Objects = kept
	sort.Slice(p.Objects, func(i, j int) bool { return p.Objects[i].Key < p.Objects[j].Key })
	switch more, token := doc.Get("IsTruncated"), doc.Raw("NextContinuationToken"); {
	case more == "true" && token != "":
		p.NextPageToken = []byte(token)
	case more != "false":
		return nil, foreign("the listing doesn't tell whether it is complete")
	}
	return p, nil
}

// madeAtOnce is how many objects of a listing are made at once.
const madeAtOnce = 64

// entry is a blob or a directory of a listing, with its key as it stands there.
func entry(o *driver.ListObject, e *markup.Element) (err error) {
	if e.Name == "CommonPrefixes" {
		o.Key, o.IsDir = e.Raw("Prefix"), true
		return nil
	}
	if o.Size, err = strconv.ParseInt(e.Get("Size"), 10, 64); err != nil {
		return foreign("a size is no number")
	}
	if o.ModTime, err = time.Parse(time.RFC3339, e.Get("LastModified")); err != nil {
		return foreign("a date is none")
	}
	o.Key, o.AsFunc = e.Raw("Key"), contract.Token(e.Get("ETag")).As
	return nil
}
