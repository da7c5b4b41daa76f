// Package objects makes items of the objects of a store: index i is the i-th object of a
// listing in key order.
//
// A listing that each index made for itself would be a hundred requests of each, and an
// object that came meanwhile would move the numbers of all behind it. So the first reader
// lists, and pins what it found beside the markers: the lines of the list in a few large
// pieces, and then, created only if absent, the document that names them and says where
// each block of lines begins. Of several first readers that one has pinned the list whose
// document came first. Everyone else reads the document and one block.
package objects

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
)

// Object is one object of the list.
type Object struct {
	Key      string    `json:"key"` // below the listed directory
	Size     int64     `json:"size"`
	ETag     string    `json:"etag,omitempty"`
	Modified time.Time `json:"modified"`
}

// Item is one object, or a group of them.
type Item struct {
	Group string   `json:"group,omitempty"` // what they have in common; "" where each object is an item
	Files []Object `json:"files"`           // by key
}

// Spec says which objects there are, and how they become items.
type Spec struct {
	URL     string   // of a directory, or with a glob; it holds no template any more
	Exclude []string // globs of what is left out
	GroupBy string   // the template by which objects become groups; "": each is an item
	// Group gives what GroupBy makes of an object.
	Group func(Named) (string, error)
	// Ours are URLs below which nth itself writes: no object there is an item.
	Ours []string
}

// Named is an object as templates see it.
type Named struct {
	Object
	URL             string // without the parameters by which it was found
	Path            string // its whole key; of a file its path
	Name, Dir, Stem string
}

// List is the items of a Spec. Its methods may be called from several goroutines once Pin or
// Look has returned.
type List struct {
	Policy   store.Policy // of each single request
	Retrying func(err error, wait time.Duration)
	RunID    string          // names what this process writes
	Warn     func(of string) // is told what the list that is made lacks; may be nil

	spec    Spec
	place   place
	names   Names
	ours    []string
	objects *store.Store
	pins    pieces
	doc     *document
}

// Open opens the list of a Spec without asking a store anything; pins is where it is pinned.
// An error is a failure with exit code 64 or 78.
func Open(ctx context.Context, stores *store.Stores, spec Spec, pins *store.Store) (*List, error) {
	l := &List{spec: spec, pins: &memory{}}
	if pins != nil {
		l.pins = pinned{pins}
	}
	var err error
	if l.place, err = parse(spec.URL); err != nil {
		return nil, err
	}
	if l.names, err = NamesBut(spec.Exclude); err != nil {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "read", On: "--tasks-exclude", Cause: err, Hint: "a glob without a slash, such as *.tmp, is of any part of what stands below the place of --tasks, one with a slash, such as old/**, of all of it"}
	}
	for _, url := range spec.Ours {
		if below := l.place.below(url); below != "" {
			l.ours = append(l.ours, below)
		}
	}
	l.objects, err = stores.Open(ctx, l.place.store())
	return l, err
}

// Close gives connections back; where it is pinned is the caller's.
func (l *List) Close() error { return l.objects.Close() }

// Show gives the URL of all the objects, without credentials.
func (l *List) Show() string { return l.objects.Show(l.place.text) }

// Len is how many items there are.
func (l *List) Len() int64 { return l.doc.Items }

// Bytes is the size of all objects.
func (l *List) Bytes() int64 { return l.doc.Bytes }

// Version names the list: another list has another.
func (l *List) Version() string { return l.doc.Sum }

// Known is what there is to say of the list as a whole.
func (l *List) Known() Known { return l.doc.Known }

// Pinned tells when the list was made that every index has; zero: it is pinned nowhere.
func (l *List) Pinned() time.Time {
	if !l.doc.pinned {
		return time.Time{}
	}
	return l.doc.Listed
}

// Pin reads the list that is pinned, or lists and pins. Look does so without writing
// anything.
func (l *List) Pin(ctx context.Context) error { return l.find(ctx, true) }

// Look is Pin for who only looks: a list that isn't pinned is held in memory.
func (l *List) Look(ctx context.Context) error { return l.find(ctx, false) }

func (l *List) find(ctx context.Context, write bool) error {
	if l.doc != nil {
		return nil
	}
	name := l.name()
	doc, err := l.load(ctx, name)
	if err != nil || doc != nil {
		l.doc = doc
		return err
	}
	if !write {
		l.pins = &memory{}
	}
	made, err := l.list(ctx, name)
	if err != nil {
		return err
	}
	if made.Items == 0 {
		return l.none(ctx, made)
	}
	if lacks := made.Lacks(); lacks != "" && write && l.Warn != nil {
		l.Warn(lacks)
	}
	if l.doc, err = l.keep(ctx, name, made); err == nil && !write {
		l.doc.pinned = false
	}
	return err
}

// none is the failure where there are no items: it is nobody's list, and isn't pinned.
func (l *List) none(ctx context.Context, made *document) error {
	if err := l.unmounted(ctx, "list the objects", l.Show()); err != nil {
		return err
	}
	f := &failure.Failure{Code: failure.NoInput, Tried: "list the objects", On: l.Show(), Cause: errors.New("there is none"), Hint: "correct the URL of --tasks, or put the objects there first"}
	if lacks := made.Lacks(); lacks != "" {
		f.Cause = errors.New("there is none; " + lacks)
	}
	if made.LeftOut > 0 {
		f.Cause = fmt.Errorf("all that there are, %d, are left out", made.LeftOut)
		f.Hint = "hidden and partial ones are, by --tasks-exclude " + strings.Join(l.spec.Exclude, " ") + "; another one replaces these, and none leaves nothing out"
	}
	return f
}

// taken tells whether an object is one of the list, and of one that isn't, whether it is
// left out for its name alone: what no object is meant by isn't counted.
func (l *List) taken(key string) (yes, left bool) {
	if IsPlaceholder(key) {
		return false, false
	}
	for _, ours := range l.ours {
		if strings.HasPrefix(key, ours) {
			return false, false
		}
	}
	if l.place.glob != nil && !l.place.glob.match(key) {
		return false, false
	}
	if l.names.left(key) {
		return false, true
	}
	return true, false
}

// Named gives an object as templates see it.
func (l *List) Named(o Object) Named {
	n := Named{Object: o, URL: l.place.url(o.Key), Path: l.place.key(o.Key)}
	n.Dir, n.Name = path.Split(n.Path)
	if n.Dir != "/" {
		n.Dir = strings.TrimSuffix(n.Dir, "/")
	}
	n.Stem = n.Name
	if at := strings.LastIndexByte(n.Name, '.'); at > 0 {
		n.Stem = n.Name[:at]
	}
	return n
}

// WithParameters gives the URLs of an item's objects with the parameters by which they
// were found, which the command line says: where they are, and as whom.
func (l *List) WithParameters(it Item) map[string]string {
	all := make(map[string]string, len(it.Files))
	for _, o := range it.Files {
		url := l.place.url(o.Key)
		all[url] = url
		if l.place.query != "" {
			all[url] += "?" + l.place.query
		}
	}
	return all
}

// object gives what the list says of an object. A directory's files have no ETag but their
// time and size: an inode is another one on each mount of some network file systems.
func (l *List) object(e store.Entry) Object {
	etag := strings.Trim(e.Version, `"`)
	if l.place.scheme == "file" {
		etag = fmt.Sprintf("%d-%d", e.Modified.UnixNano(), e.Size)
	}
	return Object{Key: e.Key, Size: e.Size, ETag: etag, Modified: e.Modified.UTC().Truncate(time.Second)}
}

// ask makes one request for as long as the policy says.
func (l *List) ask(ctx context.Context, request func(context.Context) error) error {
	return store.Retry(ctx, l.Policy, request, l.Retrying)
}
