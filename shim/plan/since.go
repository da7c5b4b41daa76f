package plan

import (
	"context"
	"fmt"

	"nth/shim/fetch"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/task/objects"
)

// maxAsked is of how many items whose object is gone it is asked whether they are done.
const maxAsked = 100

// since tells what has become of the objects since their list was pinned. Only what an index
// still needs, and is gone, is a mistake.
func (p *rows) since(m fetch.Objects, pins *store.Store, from, to int64) {
	if m.Pinned().IsZero() {
		return
	}
	ctx, needed, asked := context.Background(), false, 0
	changes, err := m.Since(ctx, func(i int64) {
		if needed || !p.plans(i, from, to) {
			return
		}
		if asked++; asked > maxAsked || p.each() || pins == nil {
			needed = true
			return
		}
		done, err := pins.Exists(ctx, marker.Key("done", i))
		needed = err != nil || !done
	})
	shown := p.run.Secrets.Hide(m.Show())
	if err != nil {
		p.notes = append(p.notes, fmt.Sprintf("%s: what has changed since the list was made can't be told: %s", shown, p.run.Said(err)))
		return
	}
	tell := func(to *[]string, of objects.Some, what string) {
		if of.Count > 0 {
			*to = append(*to, fmt.Sprintf("%s: %d %s: %s", shown, of.Count, what, p.run.Secrets.Hide(of.String())))
		}
	}
	tell(&p.notes, changes.Came, "came after the list was made, so that no index has them")
	tell(&p.notes, changes.Changed, "changed since the list was made")
	if needed {
		tell(&p.findings, changes.Gone, "are gone since the list was made, and needed")
	} else {
		tell(&p.notes, changes.Gone, "are gone since the list was made")
	}
}

// plans tells whether an item is one of the planned indexes'.
func (p *rows) plans(i, from, to int64) bool {
	if p.each() {
		return true
	}
	if list, err := identity.ParseList(p.run.Config.Index.Indexes); err == nil && list.Len() > 0 {
		return list.Contains(i)
	}
	return to > from && i <= p.identify(to-1).Index
}
