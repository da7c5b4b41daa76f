package look

import (
	"context"
	"io"
	"io/fs"
	"slices"
	"sort"
	"strings"

	"nth/shim/failure"
	"nth/shim/store"
)

// World is whom a look asks.
type World struct {
	Stores *store.Stores
	Policy store.Policy // of each single request
	Stat   func(context.Context, string) (fs.FileInfo, error)
	// Markers tell which indexes are done, and need no input any more; nil: nobody knows.
	Markers *store.Store
	Hide    func(string) string // takes secrets out of what is shown
}

// Of objects that are listed, there may be so many more than inputs; of inputs in a place
// that has more, so many are looked for one by one.
const (
	maxOthers = 100_000
	perInput  = 10
	maxAlone  = 1000
)

// finder is one look.
type finder struct {
	*Look
	World
	found *Found
}

// listing is what is listed in one go.
type listing struct {
	root
	prefix string   // of the keys, from the store's root on
	places []*place // whose inputs it may hold
	last   string   // the directory that was told last
}

// Find asks the stores. An error is a failure with the store's exit code.
func (l *Look) Find(ctx context.Context, w World) (*Found, error) {
	f := &finder{l, w, &Found{notes: slices.Clone(l.notes), chosen: l.Chosen}}
	if l.more {
		f.found.notes = append(f.found.notes, "there are more inputs than are held: only the first are looked for, and objects that are no index's aren't told")
	}
	var lists []*listing
	for _, p := range l.places {
		p.ready()
		f.found.inputs += int64(len(p.entries))
		if p.path || p.same || p.scheme == "file" && dirOf(p.shape.before) == "/" {
			if err := f.alone(ctx, p); err != nil {
				return nil, err
			}
			continue
		}
		lists = append(lists, &listing{root: p.root, prefix: p.shape.before, places: []*place{p}})
	}
	for _, one := range merged(lists) {
		if err := f.list(ctx, one); err != nil {
			return nil, err
		}
	}
	if err := f.judge(ctx); err != nil {
		return nil, err
	}
	return f.found, nil
}

// merged puts listings together of which one is a part of the other.
func merged(lists []*listing) (all []*listing) {
	sort.SliceStable(lists, func(i, j int) bool { return lists[i].prefix < lists[j].prefix })
next:
	for _, one := range lists {
		for _, of := range all {
			if of.root == one.root && strings.HasPrefix(one.prefix, of.prefix) {
				of.places = append(of.places, one.places...)
				continue next
			}
		}
		all = append(all, one)
	}
	return all
}

func dirOf(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }

// list looks for the inputs of a listing.
func (f *finder) list(ctx context.Context, l *listing) error {
	dir := dirOf(l.prefix)
	s, err := f.Stores.Open(ctx, l.url(dir))
	if err != nil {
		return unlooked(err)
	}
	defer s.Close()
	told := Listed{URL: s.Show(l.prefix[len(dir):])}
	most, unused := f.others, f.found.Unused
	for _, p := range l.places {
		most += perInput * int64(len(p.entries))
	}
	for next := s.Entries(l.prefix[len(dir):]); !f.enough(l); told.Objects++ {
		e, err := f.next(ctx, next)
		if err == io.EOF {
			break
		}
		if err != nil {
			return unlooked(store.Fail(err, failure.TheJob, "look for the inputs in", told.URL))
		}
		if told.Objects == most {
			f.found.Unused = unused // some would be chance
			return f.crowded(ctx, l, told)
		}
		f.meet(l, s, dir, e)
	}
	f.found.Listed = append(f.found.Listed, told)
	return nil
}

// enough tells whether nothing more is to be seen in a listing.
func (f *finder) enough(l *listing) bool {
	for _, p := range l.places {
		if p.found < len(p.entries) || f.tells(p) {
			return false
		}
	}
	return true
}

// tells tells whether objects are told of that look like a place's, and are no index's.
func (f *finder) tells(p *place) bool {
	return !f.Part && !f.more && !p.same && !p.read.unknown && !p.path && p.kind != glob
}

// meet takes one object of a listing.
func (f *finder) meet(l *listing, s *store.Store, dir string, e store.Entry) {
	key, taken := dir+e.Key, false
	for _, p := range f.places {
		if p.root == l.root && p.meet(key, e.Size) {
			taken = true
		}
	}
	if taken || !f.names.Item(e.Key) || f.hidden(where{l.places[0].store, key}) || f.made.by(where{l.places[0].store, key}) != nil {
		return
	}
	for _, p := range l.places {
		if unit := p.like(key); unit != "" && f.tells(p) && unit != l.last {
			l.last = unit
			f.found.Unused.add(None, "", f.Hide(s.Show(unit[len(dir):])))
			return
		}
	}
}

// like gives what of a key looks like an input: the object itself, or a directory that it is
// in; "": nothing.
func (p *place) like(key string) string {
	if p.kind == object && p.shape.has(key) {
		return key
	}
	for at := 0; p.kind == tree && at < len(key); at++ {
		if key[at] == '/' && p.shape.has(key[:at+1]) {
			return key[:at+1]
		}
	}
	return ""
}

// crowded is the end of a listing that has far more objects than there are inputs.
func (f *finder) crowded(ctx context.Context, l *listing, told Listed) error {
	n := 0
	for _, p := range l.places {
		n += len(p.entries)
	}
	what := "whether the inputs are there isn't told"
	if n <= maxAlone {
		what = "which of them are no index's isn't told"
	}
	f.found.notes = append(f.found.notes, told.URL+" has far more objects than there are inputs: "+what)
	for _, p := range l.places {
		if n > maxAlone {
			f.found.inputs -= int64(len(p.entries))
			p.entries = nil
		} else if err := f.alone(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
