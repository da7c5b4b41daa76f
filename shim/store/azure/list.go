package azure

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/markup"
	"nth/shim/store/web"
)

// maxPage bounds a page of a listing, in bytes: 5,000 names of 1,024 characters, and
// what stands around them.
const maxPage = 32 << 20

// ListPaged asks with List Blobs, which gives up to 5,000 at once.
func (b *bucket) ListPaged(ctx context.Context, opts *driver.ListOptions) (*driver.ListPage, error) {
	if err := contract.Ask(opts.BeforeList); err != nil {
		return nil, err
	}
	q := url.Values{"restype": {"container"}, "comp": {"list"}}
	for name, value := range map[string]string{"prefix": escapePrefix(b.prefix + opts.Prefix), "delimiter": escapePrefix(opts.Delimiter), "marker": string(opts.PageToken)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if opts.PageSize > 0 {
		q.Set("maxresults", strconv.Itoa(opts.PageSize))
	}
	res, err := b.do(ctx, request{method: http.MethodGet, ofContainer: true, query: q})
	if err != nil {
		return nil, err
	}
	body, err := web.Body(ctx, res, server, maxPage)
	if err != nil {
		return nil, err
	}
	page, err := b.page(body, opts.Prefix)
	if err == nil && page.NextPageToken != nil && string(page.NextPageToken) == string(opts.PageToken) {
		err = foreign("the listing goes round in a circle")
	}
	return page, err
}

// page reads one page. Whatever isn't complete is an error: a listing that ends too
// early would report items as missing.
func (b *bucket) page(body []byte, prefix string) (*driver.ListPage, error) {
	p := &driver.ListPage{}
	var wrong error // the first, if the whole is a listing
	doc, err := markup.Rows(body, 2, func(e *markup.Element) bool {
		if e.Name != "Blob" && e.Name != "BlobPrefix" {
			return false
		}
		o, err := entry(e)
		if err != nil && wrong == nil {
			wrong = err
		}
		p.Objects = append(p.Objects, o)
		return true
	})
	if err != nil {
		return nil, foreign("no listing came: " + err.Error())
	}
	blobs, next := doc.All("Blobs"), doc.All("NextMarker")
	switch {
	case doc.Name != "EnumerationResults":
		return nil, foreign(fmt.Sprintf("no listing came, but <%.40s>", doc.Name))
	case len(blobs) != 1 || len(next) != 1:
		return nil, foreign("the listing doesn't tell whether it is complete")
	case wrong != nil:
		return nil, wrong
	case len(blobs[0].Children) > 0:
		return nil, foreign("an entry of the listing is no blob")
	}
	kept := p.Objects[:0]
	for _, o := range p.Objects {
		if !strings.HasPrefix(o.Key, escapePrefix(b.prefix+prefix)) {
			return nil, foreign("a name is outside of the prefix")
		}
		key, ours := strings.CutPrefix(unescapeKey(o.Key), b.prefix)
		if !ours || key == "" || !strings.HasPrefix(key, prefix) {
			continue // the prefix itself, a "folder"; or what begins like it only as __0x
		}
		o.Key = key
		kept = append(kept, o)
	}
	p.Objects = kept
	sort.Slice(p.Objects, func(i, j int) bool { return p.Objects[i].Key < p.Objects[j].Key })
	if next[0].Text != "" {
		p.NextPageToken = []byte(next[0].Text)
	}
	return p, nil
}

// entry gives a blob or a common prefix, with its name as the key.
func entry(e *markup.Element) (*driver.ListObject, error) {
	name, err := nameOf(e)
	if err != nil {
		return nil, err
	}
	if e.Name == "BlobPrefix" {
		return &driver.ListObject{Key: name, IsDir: true}, nil
	}
	about := e.All("Properties")
	if len(about) != 1 {
		return nil, foreign("an entry of the listing is no blob")
	}
	size, err := strconv.ParseInt(about[0].Get("Content-Length"), 10, 64)
	if err != nil {
		return nil, foreign("a size is no number")
	}
	modified, err := http.ParseTime(about[0].Get("Last-Modified"))
	if err != nil {
		return nil, foreign("a date is none")
	}
	etag := strconv.Quote(strings.Trim(about[0].Get("Etag"), `"`)) // which stands there without the quotes that the header has
	return &driver.ListObject{Key: name, ModTime: modified, Size: size, MD5: sum(about[0].Get("Content-MD5")), AsFunc: contract.Token(etag).As}, nil
}

// nameOf gives an entry's name, which is escaped where XML can't hold it (Azure
// Storage, "List Blobs"); nth writes none such.
func nameOf(e *markup.Element) (string, error) {
	names := e.All("Name")
	if len(names) != 1 || names[0].Text == "" {
		return "", foreign("an entry of the listing has no name")
	}
	if !names[0].Encoded {
		return names[0].Text, nil
	}
	name, err := url.PathUnescape(names[0].Text)
	if err != nil {
		return "", foreign("a name is not escaped as it says")
	}
	return name, nil
}
