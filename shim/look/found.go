package look

import (
	"cmp"
	"context"
	"fmt"
	"sort"
	"strings"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/marker"
)

// Found is what a look has found.
type Found struct {
	Listed  []Listed `json:"listed,omitempty"`
	Missing Some     `json:"missing"` // inputs
	Empty   Some     `json:"empty"`   // inputs of no bytes
	Unused  Some     `json:"unused"`  // objects that look like inputs and are no index's

	inputs           int64 // that were looked for
	late, made, done Some  // missing ones that are no mistake
	notes            []string
	chosen           bool // objects that are left out may be so on purpose
	clashes          []string
}

// Listed is what was listed: all whose URLs begin so.
type Listed struct {
	URL     string `json:"url"`
	Objects int64  `json:"objects"`
}

// Some are inputs or objects that have something in common: how many there are, whose they
// are, and the first.
type Some struct {
	Count   int64  `json:"count"`
	Indexes string `json:"indexes,omitempty"`
	First   []One  `json:"first,omitempty"`

	list   identity.List
	others int64 // indexes that aren't named
	all    bool  // every index
}

// One is one of them.
type One struct {
	Index *int64 `json:"index,omitempty"` // of which index; none: of every index, or of none
	Flag  string `json:"flag,omitempty"`
	URL   string `json:"url"`
}

// None is the index of what is no index's.
const None = -2

// So many are named; of more than that only a few, in a line for a person.
const (
	maxFirst = 10
	few      = 3
)

// add adds one; indexes come in order.
func (s *Some) add(index int64, flag, url string) {
	one := One{Flag: flag, URL: url}
	switch {
	case index == every:
		s.all = true
	case index != None:
		one.Index = &index
		if s.list.Len() == 0 || s.list.Last() != index {
			if s.others > 0 || !s.list.Grow(index, maxRanges) {
				s.others++
			}
		}
	}
	if s.Count++; s.Count <= maxFirst {
		s.First = append(s.First, one)
	}
	s.Indexes = ranges(s.list, int(s.others))
}

// tell says of these inputs what is so, for one and for several.
func (s *Some) tell(one, several string) string {
	who, inputs, says := "indexes "+s.Indexes, "inputs", several
	switch {
	case s.all:
		who = "every index"
	case s.list.Len() == 1 && s.others == 0:
		who = "index " + s.Indexes
	}
	if s.Count == 1 {
		inputs, says = "input", one
	}
	return fmt.Sprintf("the %s of %s %s: %s", inputs, who, says, s.names())
}

// names gives the first, each once.
func (s *Some) names() string {
	first, behind := s.First, ""
	if s.Count > maxFirst {
		first, behind = first[:few], ", …"
	}
	var names []string
	for _, o := range first {
		if !contains(names, o.URL) {
			names = append(names, o.URL)
		}
	}
	return strings.Join(names, ", ") + behind
}

// Lacks tells whose inputs are missing; "": none is.
func (f *Found) Lacks() string {
	if f.Missing.Count == 0 {
		return ""
	}
	return f.Missing.tell("isn't there", "aren't there")
}

// Doubts tells of what is there, and may be a mistake.
func (f *Found) Doubts() (found []string) {
	if f.Empty.Count > 0 {
		found = append(found, f.Empty.tell("has no bytes", "have no bytes"))
	}
	if f.Unused.Count > 0 && !f.chosen {
		found = append(found, f.unused())
	}
	return found
}

// Findings tells of all that.
func (f *Found) Findings() []string {
	if lacks := f.Lacks(); lacks != "" {
		return append([]string{lacks}, f.Doubts()...)
	}
	return f.Doubts()
}

func (f *Found) unused() string {
	n, is := fmt.Sprintf("%d objects", f.Unused.Count), "are"
	if f.Unused.Count == 1 {
		n, is = "1 object", "is"
	}
	return fmt.Sprintf("%s that could be an input %s no index's: %s", n, is, f.Unused.names())
}

// Notes tells what else there is to say.
func (f *Found) Notes() []string {
	var all []string
	if f.inputs > 0 {
		all = append(all, f.Summary())
	}
	for _, no := range [...]struct {
		mistake      *Some
		one, several string
	}{{&f.late, "and --require-wait waits", "and --require-wait waits"}, {&f.made, "for this Job makes it", "for this Job makes them"}, {&f.done, "and isn't needed: the index is done", "and aren't needed: the indexes are done"}} {
		if no.mistake.Count > 0 {
			all = append(all, no.mistake.tell("isn't there, "+no.one, "aren't there, "+no.several))
		}
	}
	if f.Unused.Count > 0 && f.chosen {
		all = append(all, f.unused())
	}
	return append(all, f.notes...)
}

// Summary is one line about the inputs; "": none was looked for.
func (f *Found) Summary() string {
	if f.inputs == 0 {
		return ""
	}
	there := f.inputs - f.Missing.Count - f.late.Count - f.made.Count - f.done.Count
	if there == f.inputs {
		if f.inputs == 1 {
			return "the input is there"
		}
		return fmt.Sprintf("all %d inputs are there", f.inputs)
	}
	return fmt.Sprintf("%d of %d inputs are there", there, f.inputs)
}

// lack is an input that isn't there.
type lack struct {
	p *place
	e *entry
}

// judge tells the inputs that are missing from those that are no mistake, and empty ones.
func (f *finder) judge(ctx context.Context) error {
	var lacks, empty []lack
	for _, p := range f.places {
		for i := range p.entries {
			e := &p.entries[i]
			if e.found && e.empty && p.kind == object && (p.read.Name != "--require" || p.full) {
				empty = append(empty, lack{p, e})
			}
			if e.found {
				continue
			}
			if p.scheme == "file" && p.kind == object && p.read.Name == "--require" { // a directory is one, too
				_, there, err := f.one(ctx, p, e)
				if err != nil {
					return err
				}
				if there {
					continue
				}
			}
			lacks = append(lacks, lack{p, e})
		}
	}
	inOrder(empty)
	for _, at := range empty {
		f.found.Empty.add(at.e.index, at.p.read.Name, f.shown(at.p, at.e))
	}
	inOrder(lacks)
	done := f.doneOf(ctx, lacks)
	for _, at := range lacks {
		to := &f.found.Missing
		made := f.made.by(where{at.p.store, at.e.key})
		switch {
		case at.e.index != every && done[at.e.index]:
			to = &f.found.done
		case made != nil && made.index != at.e.index:
			to = &f.found.made
		case f.Wait > 0: // what is waited for may make the others too
			to = &f.found.late
		}
		to.add(at.e.index, at.p.read.Name, f.shown(at.p, at.e))
	}
	return nil
}

func inOrder(list []lack) {
	sort.SliceStable(list, func(i, j int) bool { return list[i].e.index < list[j].e.index })
}

// shown is the URL of an input, or its path.
func (f *finder) shown(p *place, e *entry) string {
	if p.path {
		return f.Hide(e.key)
	}
	if e.pattern != "" {
		return f.Hide(address(e.pattern))
	}
	return f.Hide(p.scheme + "://" + p.host + e.key)
}

// maxAsked is of how many indexes each is asked for by itself whether it is done.
const maxAsked = 10

// doneOf tells which indexes are done of those whose inputs are missing, as far as the
// markers can be asked.
func (f *finder) doneOf(ctx context.Context, lacks []lack) map[int64]bool {
	done := map[int64]bool{}
	for _, at := range lacks {
		if at.e.index != every {
			done[at.e.index] = false
		}
	}
	if f.Markers == nil || len(done) == 0 {
		return done
	}
	if len(done) > maxAsked {
		next := f.Markers.Entries("done/")
		for e, err := f.next(ctx, next); err == nil; e, err = f.next(ctx, next) {
			if _, of, ok := marker.ParseKey(e.Key); ok && of.Task == "" {
				if _, asked := done[of.Index]; asked {
					done[of.Index] = true
				}
			}
		}
		return done
	}
	for index := range done {
		is, err := f.Markers.Exists(ctx, marker.Key("done", index))
		if err != nil {
			break
		}
		done[index] = is
	}
	return done
}

// unlooked is the failure of who couldn't look.
func unlooked(err error) error {
	f := *failure.From(err)
	f.Hint = cmp.Or(f.Hint, "is it there, and reachable from here?") + "; --no-look begins without looking"
	return &f
}
