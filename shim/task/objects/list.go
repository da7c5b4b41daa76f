package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
)

// list lists the objects, and writes the items as they come: of a million none is kept,
// unless they are to be groups.
func (l *List) list(ctx context.Context, name string) (*document, error) {
	b := &builder{ctx: ctx, l: l, name: name}
	b.doc = document{Version: documentVersion, URL: l.Show(), Exclude: l.spec.Exclude, GroupBy: l.spec.GroupBy, RunID: l.RunID, Listed: time.Now().UTC().Truncate(time.Second)}
	add := func(o Object) error { return b.add(Item{Files: []Object{o}}) }
	var g *groups
	if l.spec.GroupBy != "" {
		g = &groups{l: l, of: map[string]int{}}
		add = g.add
	}
	if err := l.each(ctx, &b.doc.Known, add); err != nil {
		return nil, err
	}
	if g != nil {
		for _, it := range g.items {
			if err := b.add(it); err != nil {
				return nil, err
			}
		}
		g.tell(&b.doc.Known)
	}
	return b.end()
}

// each visits the objects of the list, by key.
func (l *List) each(ctx context.Context, known *Known, visit func(Object) error) error {
	next := l.objects.Entries(l.place.prefix)
	for {
		var e store.Entry
		ended := false
		err := l.ask(ctx, func(ctx context.Context) (err error) {
			e, err = next(ctx)
			if ended = err == io.EOF; ended {
				err = nil
			}
			return err
		})
		switch {
		case err != nil:
			return store.Fail(err, failure.OneIndex, "list the objects", l.Show())
		case ended:
			l.unfit(known)
			return nil
		}
		yes, left := l.taken(e.Key)
		if left {
			known.LeftOut++
		}
		if !yes {
			continue
		}
		known.Objects++
		known.Bytes += e.Size
		if err := visit(l.object(e)); err != nil {
			return err
		}
	}
}

// groups puts objects together, in the order of the first of each.
type groups struct {
	l     *List
	of    map[string]int
	items []Item
}

func (g *groups) add(o Object) error {
	value, err := g.l.spec.Group(g.l.Named(o))
	if err == nil && value == "" {
		err = errors.New("it gives nothing")
	}
	if err != nil {
		return &failure.Failure{Code: failure.Setup, Tried: "find the group of", On: g.l.objects.Show(o.Key), Cause: fmt.Errorf("--group-by: %w", err),
			Hint: "correct the template, or leave such objects out with --tasks-exclude"}
	}
	at, met := g.of[value]
	if !met {
		at = len(g.items)
		g.of[value], g.items = at, append(g.items, Item{Group: value})
	}
	g.items[at].Files = append(g.items[at].Files, o)
	return nil
}

// maxIncomplete is how many groups are named that have another number of objects than most.
const maxIncomplete = 20

// tell finds the groups that aren't as most are.
func (g *groups) tell(known *Known) {
	sizes := map[int]int{}
	for _, it := range g.items {
		sizes[len(it.Files)]++
	}
	for size, n := range sizes {
		if n > sizes[known.PerGroup] || n == sizes[known.PerGroup] && size > known.PerGroup {
			known.PerGroup = size
		}
	}
	for _, it := range g.items {
		switch {
		case len(it.Files) == known.PerGroup:
		case len(known.Incomplete) == maxIncomplete:
			known.MoreIncomplete++
		default:
			known.Incomplete = append(known.Incomplete, fmt.Sprintf("%s has %d", it.Group, len(it.Files)))
		}
	}
}
