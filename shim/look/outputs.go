package look

import (
	"fmt"
	"sort"
	"strings"

	"nth/shim/identity"
	"nth/shim/item"
)

// outputs are the places at which indexes publish something.
type outputs struct {
	stores []string // each once
	list   []output
	sorted bool
	more   bool
}

// output is one. Its path ends in a slash where others can be in it.
type output struct {
	path  string
	index int64
	store int // of stores
}

func (o *outputs) add(index int64, url string) {
	if len(o.list) >= maxHeld {
		o.more = true
		return
	}
	p := item.PlaceOf(url)
	n := 0
	for n < len(o.stores) && o.stores[n] != p.Store() {
		n++
	}
	if n == len(o.stores) {
		if n == maxPlaces {
			o.more = true
			return
		}
		o.stores = append(o.stores, p.Store())
	}
	o.list, o.sorted = append(o.list, output{p.Path(), index, n}), false
}

func (o *outputs) sort() {
	if o.sorted {
		return
	}
	sort.Slice(o.list, func(i, j int) bool {
		a, b := &o.list[i], &o.list[j]
		switch {
		case a.store != b.store:
			return a.store < b.store
		case a.path != b.path:
			return a.path < b.path
		}
		return a.index < b.index
	})
	o.sorted = true
}

// at gives the first output of a store that doesn't come before this place.
func (o *outputs) at(store int, path string) *output {
	i := sort.Search(len(o.list), func(i int) bool {
		a := &o.list[i]
		return a.store > store || a.store == store && a.path >= path
	})
	if i < len(o.list) && o.list[i].store == store {
		return &o.list[i]
	}
	return nil
}

// below gives an output that is this directory, or in it.
func (o *outputs) below(store int, dir string) *output {
	if found := o.at(store, dir); found != nil && strings.HasPrefix(found.path, dir) {
		return found
	}
	return nil
}

// by gives the output that is a place, or that it is in; nil: no index makes it.
func (o *outputs) by(at where) *output {
	o.sort()
	for store, name := range o.stores {
		if name != at.store {
			continue
		}
		for n := range len(at.path) {
			if at.path[n] == '/' {
				if found := o.at(store, at.path[:n+1]); found != nil && found.path == at.path[:n+1] {
					return found
				}
			}
		}
		if found := o.at(store, at.path); found != nil && found.path == at.path {
			return found
		}
		return o.below(store, strings.TrimSuffix(at.path, "/")+"/") // or, of a directory, what is in it
	}
	return nil
}

// shown is an output's URL without parameters.
func (o *outputs) shown(of *output) string {
	at, _, _ := strings.Cut(o.stores[of.store], "?")
	return at + strings.TrimSuffix(of.path, "/")
}

// maxClashes is how many are told.
const maxClashes = 20

// clashes tells of indexes that write to the same place, or one into what is another's.
func (o *outputs) clashes() (found []string) {
	o.sort()
	var above []*output
	for i := 0; i < len(o.list); {
		first := &o.list[i]
		var who identity.List
		others := 0
		for ; i < len(o.list) && o.list[i].store == first.store && o.list[i].path == first.path; i++ {
			if who.Len() > 0 && who.Last() == o.list[i].index {
				continue
			}
			if others > 0 || !who.Grow(o.list[i].index, maxRanges) {
				others++
			}
		}
		for n := len(above); n > 0 && !(above[n-1].store == first.store && strings.HasPrefix(first.path, above[n-1].path)); n-- {
			above = above[:n-1]
		}
		if len(found) == maxClashes && (who.Len() > 1 || len(above) > 0) {
			return append(found, "… and more indexes that write to the same place")
		}
		if who.Len() > 1 {
			found = append(found, fmt.Sprintf("indexes %s have the same output: %s", ranges(who, others), o.shown(first)))
		}
		if n := len(above); n > 0 && above[n-1].index != first.index {
			found = append(found, fmt.Sprintf("the output of index %d is in that of index %d: %s in %s", first.index, above[n-1].index, o.shown(first), o.shown(above[n-1])))
		}
		if strings.HasSuffix(first.path, "/") {
			above = append(above, first)
		}
	}
	return found
}

// maxRanges is how many ranges of indexes are named.
const maxRanges = 1000

func ranges(list identity.List, others int) string {
	if others > 0 {
		return fmt.Sprintf("%s and %d more", list, others)
	}
	return list.String()
}
