package look

import (
	"net/url"
	"path"
	"sort"
	"strings"

	"nth/shim/item"
	"nth/shim/store"
	"nth/shim/task/objects"
)

// kind is what an input is.
type kind int

const (
	object kind = iota
	tree        // all below a key that ends in a slash
	glob        // what matches
)

// where is a place in a store, as item.Place names it.
type where struct{ store, path string }

// root is what a store is opened by, but for the directory.
type root struct{ scheme, host, query string }

// placeKey tells inputs apart that have nothing in common.
type placeKey struct {
	root
	read *read
	kind kind
	path bool // no URL
}

// place is the inputs that all indexes have by one flag, in one store.
type place struct {
	placeKey
	store   string // as item.Place names it
	entries []entry
	found   int
	shape   shape
	same    bool // all have the same key
	full    bool // one that isn't empty was met

	matched  string // the pattern of matching
	matching objects.Matching
}

// entry is one input. Its key begins with a slash: with the store's root.
type entry struct {
	key     string
	index   int64
	pattern string // of a glob, all of its URL; key is what stands before its first star
	found   bool
	empty   bool
}

// in finds the store of a URL, and the key there.
func (k *placeKey) in(raw string, e *entry) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "file":
		k.root = root{"file", "", u.RawQuery}
	case "s3", "gs", "azblob":
		k.root = root{u.Scheme, u.Host, u.RawQuery}
	default:
		return false
	}
	at := "/" + strings.TrimPrefix(u.Path, "/")
	if u.Scheme == "file" {
		if at = path.Clean(at); at != "/" && (k.kind != object || strings.HasSuffix(u.Path, "/")) {
			at += "/"
		}
	}
	e.key = at + e.key // of a glob: what stands before its first star
	return true
}

// url is that of a directory, for who opens it.
func (r root) url(dir string) string {
	u := url.URL{Scheme: r.scheme, Host: r.host, Path: dir, RawQuery: r.query}
	return u.String()
}

// ready sorts the inputs, and finds what they have in common.
func (p *place) ready() {
	sort.Slice(p.entries, func(i, j int) bool {
		a, b := &p.entries[i], &p.entries[j]
		return a.key < b.key || a.key == b.key && a.index < b.index
	})
	n := len(p.entries)
	p.same = p.entries[0].key == p.entries[n-1].key
	p.shape = shapeOf(n, func(i int) string { return p.entries[i].key })
	if p.same {
		p.shape.before = p.entries[0].key
	}
	p.store = item.PlaceOf(p.root.url("/")).Store()
}

// meet notes that an object is there, and tells whether it is anybody's.
func (p *place) meet(key string, size int64) (taken bool) {
	switch p.kind {
	case object:
		return p.mark(p.find(key), key, size)
	case tree:
		for at := 0; at < len(key); at++ {
			if key[at] != '/' {
				continue
			}
			dir := key[:at+1]
			if i := p.find(dir); i >= 0 {
				taken = taken || !p.same || p.read.Name != "--require" // that something is there takes nothing
				if p.counts(key, dir) {
					p.mark(i, dir, 1)
				}
			}
		}
		return taken
	}
	for n := 1; n <= len(key); n++ {
		for i := p.find(key[:n]); i >= 0 && i < len(p.entries) && p.entries[i].key == key[:n]; i++ {
			if e := &p.entries[i]; p.matches(e.pattern, key) {
				taken = true
				p.sees(e, 1)
			}
		}
	}
	return taken
}

// counts tells whether an object makes a directory one that isn't empty. A run's --require
// takes anything in it.
func (p *place) counts(key, dir string) bool {
	if key == dir {
		return false
	}
	return p.read.Name == "--require" || !objects.IsPlaceholder(key) && !store.IsHidden(key[len(dir):])
}

// matches tells whether a key is what a glob names.
func (p *place) matches(pattern, key string) bool {
	if pattern != p.matched {
		m, err := objects.Match(pattern, p.read.Name)
		if err != nil {
			return false
		}
		p.matched, p.matching = pattern, m
	}
	var dir entry
	k := placeKey{kind: tree}
	return k.in(p.matching.Store(), &dir) && strings.HasPrefix(key, dir.key) && p.matching.Has(key[len(dir.key):]) && !store.IsHidden(key[len(dir.key):])
}

// find gives the first input of this key; -1: there is none.
func (p *place) find(key string) int {
	i := sort.Search(len(p.entries), func(i int) bool { return p.entries[i].key >= key })
	if i == len(p.entries) || p.entries[i].key != key {
		return -1
	}
	return i
}

// mark notes that all inputs of a key are there, from the first on.
func (p *place) mark(i int, key string, size int64) bool {
	if i < 0 {
		return false
	}
	for ; i < len(p.entries) && p.entries[i].key == key && !p.entries[i].found; i++ {
		p.sees(&p.entries[i], size)
	}
	return true
}

func (p *place) sees(e *entry, size int64) {
	if !e.found {
		e.found = true
		p.found++
	}
	e.empty = size == 0
	p.full = p.full || size != 0
}
