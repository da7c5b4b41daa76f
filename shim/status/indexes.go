package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"gocloud.dev/blob"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/screen"
	"nth/shim/store"
)

// maxIndexes bounds the memory, at 9 bytes an index.
const maxIndexes = 100_000_000

// Indexes gives those that there should be: list, or 0 to completions-1; one of them is
// given. An error is a failure with exit code 64 or 78.
func Indexes(completions *int64, list string) (identity.List, error) {
	switch {
	case list != "":
		of, err := identity.ParseList(list)
		if err == nil && completions != nil && of.Last() >= *completions {
			err = usage("--indexes", fmt.Errorf("%d is beyond the last index, %d", of.Last(), *completions-1), "")
		}
		if err == nil && of.Len() > maxIndexes {
			err = tooMany("--indexes", of.Len())
		}
		return of, err
	case *completions < 1:
		return identity.List{}, usage("--completions", errors.New("it is not positive"), "give how many indexes the whole Job has")
	case *completions > maxIndexes:
		return identity.List{}, tooMany("--completions", *completions)
	}
	return identity.Whole(*completions), nil
}

func tooMany(flag string, n int64) error {
	return usage(flag, fmt.Errorf("%d are too many", n), fmt.Sprintf("look at %d at most, with --indexes", maxIndexes))
}

func usage(on string, cause error, hint string) error {
	return &failure.Failure{Code: failure.Usage, Tried: "read", On: on, Cause: cause, Hint: hint}
}

// heads are the first pages of directories, each asked for once.
type heads struct {
	*lister
	pages map[string][]entry
}

func newHeads(ctx context.Context, s *store.Store, p store.Policy) heads {
	return heads{newLister(ctx, s, p), map[string][]entry{}}
}

func (h heads) of(dir string) ([]entry, error) {
	if page, ok := h.pages[dir]; ok {
		return page, nil
	}
	page, _, err := h.page(dir, "/", blob.FirstPageToken)
	if err == nil {
		h.pages[dir] = page
	}
	return page, err
}

// all visits what stands in a directory, where it can be read to its end at once; of other
// stores the first page.
func (h heads) all(dir string, visit func(entry)) error {
	if h.dirs {
		return h.walk(dir, listing{delimiter: "/", visit: func(page []entry) {
			for _, e := range page {
				visit(e)
			}
		}})
	}
	page, err := h.of(dir)
	for _, e := range page {
		visit(e)
	}
	return err
}

// told reads the number of indexes from the first document that tells it: one that was
// written by hand, or is broken, doesn't. Where the user numbers the indexes, how many
// they are doesn't tell which.
func told(ctx context.Context, h heads) (identity.List, error) {
	silent := ""
	for _, dir := range []string{"done/", "failed/", "started/"} {
		page, err := h.of(dir)
		if err != nil {
			return identity.List{}, err
		}
		page = slices.DeleteFunc(slices.Clone(page), func(e entry) bool { _, ok := indexOf(e.key[len(dir):], ".json"); return !ok })
		if silent == "" && len(page) > 0 {
			silent = page[0].key
		}
		for some := range slices.Chunk(page, store.Hands) {
			docs, err := h.totals(ctx, some)
			if err != nil {
				return identity.List{}, err
			}
			if at := slices.IndexFunc(docs, total.tells); at >= 0 {
				return docs[at].indexes()
			}
		}
	}
	why := "there is no document yet under " + h.s.Show("") + " that tells it"
	if silent != "" {
		why = h.s.Show(silent) + " doesn't tell it, and neither does another document"
	}
	return identity.List{}, untold{unknown(why, "give --completions N, or --indexes LIST")}
}

// untold is that no document tells yet how many indexes there are.
type untold struct{ error }

func (e untold) Unwrap() error { return e.error }

// grown adds the indexes up to the last that has failed: an elastic Job may have more of
// them by now than when it was written how many there are.
func (h heads) grown(of identity.List) (identity.List, error) {
	n := of.Len()
	err := h.all("failed/", func(e entry) {
		if index, ok := indexOf(e.key[len("failed/"):], ".json"); ok && index < maxIndexes {
			n = max(n, index+1)
		}
	})
	return identity.Whole(n), err
}

// outgrown tells whether there are documents of indexes beyond the number that one told. A
// Job that has grown doesn't tell its pods by how much: that all is done, nobody knows then.
func (p parsed) outgrown(snap *Snapshot) bool {
	return p.said > 0 && (snap.Len > p.said || len(snap.Others) > 0)
}

// doubt says so.
func (p parsed) doubt(snap *Snapshot, stderr io.Writer) {
	if p.outgrown(snap) {
		last := slices.Max(append([]int64{snap.Len - 1}, snap.Others...))
		screen.Tell(stderr, "nth: a document tells of %d indexes, and there is one of index %d: if the Job has grown, --completions N or --kubernetes FILE tells how many there are (without: exit code 1)", p.said, last)
	}
}

func unknown(why, hint string) error {
	return usage("--completions", errors.New("it is not given, and "+why), hint)
}

// total is what a document says of how many indexes there are.
type total struct {
	Completions *int64
	Platform    string
}

func (t total) tells() bool { return t.Completions != nil && *t.Completions >= 1 }

func (t total) indexes() (identity.List, error) {
	switch {
	case chosen(t.Platform):
		return identity.List{}, unknown("its platform leaves the numbers to the user", "give --indexes LIST, such as 1-100")
	case *t.Completions > maxIndexes:
		return identity.List{}, tooMany("--completions", *t.Completions)
	}
	return identity.Whole(*t.Completions), nil
}

// totals reads some documents; one that is broken or has gone says nothing.
func (h heads) totals(ctx context.Context, some []entry) ([]total, error) {
	docs := make([]total, len(some))
	return docs, store.Each(ctx, len(some), func(ctx context.Context, i int) error {
		body, err := read(ctx, h.s, h.policy, some[i].key)
		if err == nil && json.Unmarshal(body, &docs[i]) != nil {
			docs[i] = total{}
		}
		return err
	})
}

// workers gives the indexes of a queue's workers that have failed, and whether there are
// a queue's records and no markers of indexes: such indexes are never done, so which
// there should be is nothing to wait for.
func workers(h heads) (of identity.List, queue bool, err error) {
	page, err := h.of("done/")
	if err != nil || slices.ContainsFunc(page, func(e entry) bool { _, ok := indexOf(e.key[len("done/"):], ".json"); return ok }) {
		return identity.List{}, false, err
	}
	queue = slices.ContainsFunc(page, func(e entry) bool { return e.key == "done/tasks/" })
	err = h.all("failed/", func(e entry) {
		if index, ok := indexOf(e.key[len("failed/"):], ".json"); ok {
			of.Add(index, pageSize)
		}
		queue = queue || e.key == "failed/tasks/"
	})
	if err != nil {
		return identity.List{}, false, err
	}
	return of, queue, nil
}

// chosen tells whether the user picks the numbers on a platform.
func chosen(platform string) bool {
	return slices.ContainsFunc(identity.Platforms, func(p identity.Platform) bool { return p.Name == platform && !p.Fixed })
}
