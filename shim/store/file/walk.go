//go:build !windows

package file

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

// level is a directory in which a listing is.
type level struct {
	path, key string
	prefix    string // of the names that are meant
	after     string // only names behind it are still to come
	began     bool   // after counts, and was had itself
	again     bool   // after counts, and is still to come
	names     names
	read      bool // names are the directory's, or as many as fit
}

// next gives the next name of the directory. One that isn't there has none, unless the
// volume isn't there.
func (at *level) next(ctx context.Context, b *bucket) (name, bool, error) {
	if len(at.names.spans) == 0 && (!at.read || at.names.cut) {
		at.names.clear()
		err := b.entries(ctx, at.path, func(entry fs.DirEntry) error {
			at.add(entry)
			return nil
		})
		if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Absent {
			at.names.clear()
			err = nil
		}
		if err != nil {
			return name{}, false, err
		}
		at.read = true
		at.names.sort()
	}
	if len(at.names.spans) == 0 {
		return name{}, false, nil
	}
	next := at.names.first()
	at.after, at.began, at.again = next.text, true, false
	return next, true, nil
}

// add takes a name that is still to come.
func (at *level) add(entry fs.DirEntry) {
	if strings.HasPrefix(entry.Name(), temporary) {
		return // not a blob
	}
	n := nameOf(entry)
	if at.began && n.text <= at.after || at.again && n.text < at.after || !strings.HasPrefix(n.text, at.prefix) {
		return
	}
	at.names.add(n)
}

// name is that of a directory's entry as it is in keys: a directory's with its slash.
type name struct {
	text string
	kind kind
}

// kind is what an entry is, as far as its directory tells.
type kind uint8

const (
	directory kind = 1 << iota
	notUTF8
	coded // its name is the code of another one
)

func (k kind) is(of kind) bool { return k&of != 0 }

func nameOf(entry fs.DirEntry) name {
	n := name{text: unescapeSegment(entry.Name())}
	switch {
	case !utf8.ValidString(n.text):
		n = name{entry.Name(), notUTF8}
	case escapeSegment(n.text) != entry.Name():
		n = name{entry.Name(), coded}
	}
	if entry.IsDir() {
		n.text, n.kind = n.text+"/", n.kind|directory
	}
	return n
}

// mostNames is how much of a directory's names is held, in bytes: about a hundred thousand.
// A larger directory is read once more for each further part of it, so that a listing of
// millions takes no more memory than that.
const mostNames = 3 << 20

// names are the first of a directory's names, in bounded memory and without a pointer for
// each.
type names struct {
	most  int // bytes, of which twice as many may be held
	text  []byte
	spans []span
	cut   bool   // there are others, which are greater
	bound string // the greatest that is held, then
}

type span struct {
	at   uint32
	size uint16
	kind kind
}

// spanSize is that of a span in bytes.
const spanSize = 8

func (n *names) clear() {
	n.text, n.spans, n.cut = n.text[:0], n.spans[:0], false
}

func (n *names) add(one name) {
	if n.cut && one.text > n.bound {
		return
	}
	if cap(n.text) < 2*n.most && len(n.text) > n.most/4 { // growing by steps leaves as much again behind
		n.text = append(make([]byte, 0, 2*n.most), n.text...)
	}
	n.spans = append(n.spans, span{uint32(len(n.text)), uint16(len(one.text)), one.kind})
	n.text = append(n.text, one.text...)
	if len(n.text)+spanSize*len(n.spans) > 2*n.most {
		n.shorten()
	}
}

func (n *names) of(s span) []byte { return n.text[s.at : s.at+uint32(s.size)] }

func (n *names) sort() {
	sort.Slice(n.spans, func(i, j int) bool { return bytes.Compare(n.of(n.spans[i]), n.of(n.spans[j])) < 0 })
}

// shorten forgets the greatest half, and moves the others together.
func (n *names) shorten() {
	n.sort()
	kept, held := 0, 0
	for _, s := range n.spans {
		if held += int(s.size) + spanSize; held > n.most && kept > 0 {
			break
		}
		kept++
	}
	n.spans = n.spans[:kept]
	n.bound, n.cut = string(n.of(n.spans[kept-1])), true
	sort.Slice(n.spans, func(i, j int) bool { return n.spans[i].at < n.spans[j].at })
	end := 0
	for i, s := range n.spans {
		n.spans[i].at = uint32(end)
		end += copy(n.text[end:], n.of(s))
	}
	n.text = n.text[:end]
}

// first gives the first one, and forgets it.
func (n *names) first() name {
	s := n.spans[0]
	n.spans = n.spans[1:]
	return name{string(n.of(s)), s.kind}
}

// mostListings is how many are remembered between two of their pages. One that was given up
// stays until others come.
const mostListings = 32

// listings are those of which a page was given, and the next one not yet asked for.
type listings struct {
	mu  sync.Mutex
	all []*listing
}

// take gives the listing that goes on where the options say.
func (ls *listings) take(b *bucket, opts *driver.ListOptions) *listing {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	token := string(opts.PageToken)
	for i, l := range ls.all {
		if l.prefix == opts.Prefix && l.delimiter == opts.Delimiter && l.token == token {
			ls.all = slices.Delete(ls.all, i, i+1)
			return l
		}
	}
	return &listing{b: b, prefix: opts.Prefix, delimiter: opts.Delimiter, token: token}
}

func (ls *listings) keep(l *listing) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.all = append(ls.all, l); len(ls.all) > mostListings {
		ls.all = slices.Delete(ls.all, 0, 1)
	}
}
