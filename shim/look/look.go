// Package look proves the mapping of a Job before there is a run of it: which inputs are
// missing or empty, which objects look like inputs and are no index's, and which indexes
// write to the same place.
//
// What the indexes read is collected from their expanded templates; then each prefix that
// they have in common is listed once, so that a hundred thousand inputs are a hundred
// requests. What is held is bounded: of more inputs than maxHeld the first are looked for.
package look

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nth/shim/expand"
	"nth/shim/item"
	"nth/shim/reach"
	"nth/shim/store"
	"nth/shim/task/objects"
)

// Settings say what can be known of the Job's inputs where the look is taken.
type Settings struct {
	Files bool // file:// URLs are this machine's
	Paths bool // and so are paths that are no URL
	Here  bool // and the variables and files that templates read

	Unknown string        // why what an item says isn't known; "": it is
	Many    bool          // an index has many items, whose numbers its templates may name
	Listed  bool          // items are objects, whose list tells that they are there
	Chosen  bool          // items are rows, which may leave objects out on purpose
	Part    bool          // there are other indexes, which may take what these don't
	Wait    time.Duration // how long a run waits for --require
	Exclude []string      // globs of objects that are no items
}

// What is held at most: inputs, outputs, and places in which the inputs are.
const (
	maxHeld   = 1_000_000
	maxPlaces = 100
)

// Look is what the indexes of a Job read and write.
type Look struct {
	Settings
	names  objects.Names
	reads  []*read
	writes []*read
	places []*place
	at     map[placeKey]*place
	made   outputs
	ours   []where // below which nth itself writes
	held   int
	more   bool     // inputs than are held
	others int64    // objects that are listed beside them, at most
	notes  []string // of what isn't looked for
}

// read is one flag that names an input, or an output.
type read struct {
	expand.Named
	varies  bool // from index to index
	off     bool // it isn't looked for
	seen    bool
	unknown bool // it couldn't be expanded for some index
}

// every stands for all indexes, where an input is the same for all.
const every = -1

// New begins a look at what a mapping reads and writes.
func New(s Settings, m *item.Mapping) (*Look, error) {
	l := &Look{Settings: s, at: map[placeKey]*place{}, others: maxOthers}
	var err error
	if l.names, err = objects.NamesBut(s.Exclude); err != nil {
		return nil, err
	}
	for _, t := range m.Reads() {
		r := &read{Named: t, varies: t.UsesIndex() || t.UsesTask()}
		l.reads = append(l.reads, r)
		switch {
		case s.unknown(t):
			l.leave(r, s.Unknown)
		case s.Listed && whole(t):
			r.off = true // the list itself tells that they are there
		case !s.Here && len(t.Variables()) > 0:
			l.leave(r, "it depends on "+strings.Join(t.Variables(), ", ")+", which the pods are told")
		}
	}
	for _, t := range m.Writes() {
		l.writes = append(l.writes, &read{Named: t, varies: t.UsesIndex() || t.UsesTask(),
			off: s.unknown(t) || !s.Here && len(t.Variables()) > 0})
	}
	return l, nil
}

// unknown tells whether what a template gives depends on items that aren't known.
func (s *Settings) unknown(t expand.Named) bool {
	return s.Unknown != "" && (t.UsesTask() || s.Many && t.UsesIndex())
}

// whole tells whether a template is all what an item says.
func whole(t expand.Named) bool {
	w := t.Word()
	return t.UsesTask() && strings.HasPrefix(w, "<<") && strings.HasSuffix(w, ">>") && strings.Count(w, "<<") == 1
}

// Clashes tells of indexes that write to the same place, or into another's.
func (l *Look) Clashes() []string {
	if l.made.more {
		l.note(fmt.Sprintf("each output was compared with the first %d, and not with those after them", maxHeld))
	}
	return l.made.clashes()
}

// leave notes once that a flag isn't looked at.
func (l *Look) leave(r *read, why string) {
	r.off = true
	l.note(fmt.Sprintf("%s isn't looked for: %s", r.Name, why))
}

func (l *Look) note(text string) {
	if !slices.Contains(l.notes, text) {
		l.notes = append(l.notes, text)
	}
}

// Varies tells whether another index may read or write something else; tasks tells whether
// that depends on what its item says.
func (l *Look) Varies() (yes, tasks bool) {
	for _, r := range slices.Concat(l.reads, l.writes) {
		if !r.off {
			yes, tasks = yes || r.varies, tasks || r.UsesTask()
		}
	}
	return yes, tasks
}

// Shares tells whether all indexes write to one place.
func (l *Look) Shares() bool {
	return slices.ContainsFunc(l.writes, func(r *read) bool { return !r.off && !r.varies })
}

// Nothing tells whether there is nothing to be looked for, and nothing is written.
func (l *Look) Nothing() bool { return len(l.reads) == 0 && len(l.writes) == 0 }

// Full tells whether no more inputs are held.
func (l *Look) Full() bool { return l.more }

// Ours is told of a URL below which nth itself writes.
func (l *Look) Ours(url string) {
	if url != "" && len(l.ours) < maxPlaces {
		p := item.PlaceOf(url)
		l.ours = append(l.ours, where{p.Store(), strings.TrimSuffix(p.Path(), "/") + "/"})
	}
}

// Add adds what an index reads and writes.
func (l *Look) Add(index int64, x *expand.Expander) {
	for _, r := range l.reads {
		if l.more {
			break
		}
		text, ok := r.expand(x)
		if !ok {
			continue
		}
		who := index
		if !r.varies {
			who = every
		}
		l.add(r, who, text)
	}
	for _, w := range l.writes {
		// One that names the run, its host or a secret is another one in the run itself.
		if text, ok := w.expandAll(x); ok && text.Value == text.Shown {
			l.made.add(index, text.Value)
		}
	}
}

// expand gives what an index reads, unless that is known already or can't be.
func (r *read) expand(x *expand.Expander) (text expand.Text, ok bool) {
	if r.off || r.seen && !r.varies {
		return text, false
	}
	return r.expandAll(x)
}

func (r *read) expandAll(x *expand.Expander) (text expand.Text, ok bool) {
	if r.off {
		return text, false
	}
	own := *x
	own.Err = nil
	text = own.Named(r.Named)
	r.seen = true
	r.unknown = r.unknown || own.Err != nil
	return text, own.Err == nil && text.Value != ""
}

// add adds one input.
func (l *Look) add(r *read, index int64, text expand.Text) {
	value, require := text.Value, r.Name == "--require"
	scheme, _, isURL := strings.Cut(value, "://")
	k := placeKey{read: r}
	e := entry{index: index}
	switch {
	case require && reach.Is(value):
		l.note("--require isn't looked for where it is a server")
		return
	case !isURL && !require:
		return // a run refuses it
	case !isURL && !l.Paths:
		l.note("--require isn't looked for where it is a path, for that is the container's: file:// is looked at")
		return
	case !isURL:
		abs, err := filepath.Abs(value)
		if err != nil {
			return
		}
		k.scheme, k.path, e.key = "file", true, abs
		l.hold(k, e)
		return
	case scheme == "file" && !l.Files:
		l.note(r.Name + " isn't looked for where it is a file, for that is on the pods' volume")
		return
	}
	switch at := address(value); {
	case !require && !text.FromItem && strings.ContainsAny(at, "*[{"):
		k.kind, e.pattern = glob, value
		m, err := objects.Match(value, r.Name)
		if err != nil {
			return
		}
		value = m.Store()
		e.key = m.Prefix()
	case strings.HasSuffix(at, "/"):
		k.kind = tree
	}
	if !k.in(value, &e) {
		return
	}
	l.hold(k, e)
}

// hold keeps an input to be looked for.
func (l *Look) hold(k placeKey, e entry) {
	p := l.at[k]
	if l.held >= maxHeld || p == nil && len(l.places) >= maxPlaces {
		l.more = true
		return
	}
	if p == nil {
		p = &place{placeKey: k}
		l.at[k], l.places = p, append(l.places, p)
	}
	l.held++
	p.entries = append(p.entries, e)
}

// address is a URL without its parameters.
func address(url string) string {
	at, _, _ := strings.Cut(url, "?")
	return at
}

// hidden tells whether an object is nth's own, in whatever directory of what a key begins with.
func (l *Look) hidden(at where) bool {
	if store.IsHidden(at.path) {
		return true
	}
	for _, o := range l.ours {
		if o.store == at.store && strings.HasPrefix(at.path, o.path) {
			return true
		}
	}
	return false
}
