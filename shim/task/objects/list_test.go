package objects

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// opened opens the list of a directory, with what is pinned in another.
func opened(t testing.TB, dir, pins, runID string) *List {
	t.Helper()
	s, err := store.Open(t.Context(), "file://"+pins+"?create_dir=true")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), new(store.Stores), Spec{URL: "file://" + dir + "/"}, s)
	if err != nil {
		t.Fatal(err)
	}
	l.RunID = runID
	t.Cleanup(func() {
		l.Close()
		s.Close()
	})
	return l
}

func write(t testing.TB, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// many makes a directory of so many files that their list doesn't stand in its document,
// and has several blocks.
func many(t testing.TB, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i := range n {
		write(t, fmt.Sprintf("%s/%05d", dir, i))
	}
	return dir
}

func keysOf(t testing.TB, l *List, from, to int64) (keys []string) {
	t.Helper()
	next := from
	err := l.Items(t.Context(), from, to, func(i int64, it Item) error {
		if i != next || len(it.Files) != 1 {
			t.Errorf("item %d instead of %d: %+v", i, next, it)
		}
		next, keys = i+1, append(keys, it.Files[0].Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestBlocks: any part of a list is what it is, wherever its blocks begin.
func TestBlocks(t *testing.T) {
	const n = 1500
	dir, pins := many(t, n), t.TempDir()
	first := opened(t, dir, pins, "first")
	if err := first.Pin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := first.doc.Pieces; len(p) != 1 || len(p[0].Blocks) < 4 {
		t.Fatalf("the list has other pieces: %+v", p)
	}
	write(t, dir+"/00000-later")
	second := opened(t, dir, pins, "second")
	if err := second.Pin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*List{first, second} {
		if l.Len() != n || l.Bytes() != n || l.Version() != first.Version() {
			t.Errorf("%d items, %d bytes, %s", l.Len(), l.Bytes(), l.Version())
		}
		edge := l.doc.Pieces[0].Blocks[0][0]
		for _, part := range [][2]int64{{0, 1}, {0, n}, {n - 1, n}, {edge - 1, edge}, {edge, edge + 1}, {edge - 1, edge + 1}, {7, 1200}, {5, 5}} {
			keys := keysOf(t, l, part[0], part[1])
			for i, key := range keys {
				if want := fmt.Sprintf("%05d", int(part[0])+i); key != want {
					t.Fatalf("%v: %s instead of %s", part, key, want)
				}
			}
			if int64(len(keys)) != part[1]-part[0] {
				t.Errorf("%v: %d items", part, len(keys))
			}
		}
		err := l.Items(t.Context(), n, n+1, nil)
		if b, ok := errors.AsType[*Beyond](err); !ok || b.Index != n || b.Items != n {
			t.Errorf("beyond the end: %v", err)
		}
	}
}

// TestLoser: who has listed too, and comes second with the document, has the first one's
// list, and leaves nothing behind.
func TestLoser(t *testing.T) {
	dir, pins := many(t, 1500), t.TempDir()
	first, second := opened(t, dir, pins, "first"), opened(t, dir, pins, "second")
	made := map[*List]*document{}
	for _, l := range []*List{second, first} { // neither finds one
		doc, err := l.list(t.Context(), l.name())
		if err != nil {
			t.Fatal(err)
		}
		made[l] = doc
		write(t, dir+"/0-later")
	}
	for _, l := range []*List{first, second} {
		var err error
		if l.doc, err = l.keep(t.Context(), l.name(), made[l]); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(keysOf(t, first, 0, first.Len()), keysOf(t, second, 0, second.Len())); diff != "" || first.Len() != 1501 {
		t.Errorf("%d items: %s", first.Len(), diff)
	}
	files, _ := filepath.Glob(pins + "/manifest/*")
	if len(files) != 2 {
		t.Errorf("there are %v", files)
	}
	// The answer to the first one's own write was lost: its document is there.
	again, err := first.keep(t.Context(), first.name(), made[first])
	if err != nil || again.RunID != "first" {
		t.Errorf("%+v, %v", again, err)
	}
	keysOf(t, first, 0, 1)
}

// TestDamaged: a list that can't be read is never replaced, for that would move numbers.
func TestDamaged(t *testing.T) {
	dir := many(t, 1500)
	for name, tt := range map[string]struct {
		damage func(document, piece string) error
		says   string
	}{
		"cut":     {func(d, _ string) error { return os.Truncate(d, 100) }, "cut short"},
		"version": {func(d, _ string) error { return replace(d, `"version":1`, `"version":2`) }, "another version of nth, 2"},
		"count":   {func(d, _ string) error { return replace(d, `"items":1500`, `"items":1501`) }, "as many items"},
		"other":   {func(d, _ string) error { return replace(d, `"key":"manifest/`, `"key":"done/../`) }, "no list of nth's"},
		"changed": {func(_, p string) error { return replace(p, `00003`, `00004`) }, "a part of it is damaged"},
		"short":   {func(_, p string) error { return os.Truncate(p, 1000) }, "a part of it is damaged"},
		"empty":   {func(_, p string) error { return os.Truncate(p, 0) }, "a part of it is damaged"},
		"missing": {func(_, p string) error { return os.Remove(p) }, "a part of it is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			pins := t.TempDir()
			if err := opened(t, dir, pins, "first").Pin(t.Context()); err != nil {
				t.Fatal(err)
			}
			documents, _ := filepath.Glob(pins + "/manifest/*.json")
			pieces, _ := filepath.Glob(pins + "/manifest/*.jsonl")
			if err := tt.damage(documents[0], pieces[0]); err != nil {
				t.Fatal(err)
			}
			l := opened(t, dir, pins, "second")
			err := l.Pin(t.Context())
			if err == nil {
				err = l.Items(t.Context(), 3, 4, func(int64, Item) error { return nil })
			}
			if err == nil || failure.From(err).Code != failure.Unavailable || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "other markers") {
				t.Errorf("%v", err)
			}
		})
	}
}

func replace(path, was, now string) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(body), was) {
		return fmt.Errorf("%s has no %s", path, was)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(body), was, now, 1)), 0o666)
}

// TestLook: who only looks writes nothing.
func TestLook(t *testing.T) {
	dir, pins := many(t, 1500), t.TempDir()
	l := opened(t, dir, pins, "first")
	if err := l.Look(t.Context()); err != nil || !l.Pinned().IsZero() {
		t.Errorf("%v, %v", l.Pinned(), err)
	}
	if keys := keysOf(t, l, 1499, 1500); keys[0] != "01499" {
		t.Error(keys)
	}
	if files, _ := filepath.Glob(pins + "/*"); len(files) != 0 {
		t.Errorf("there are %v", files)
	}
	if err := opened(t, dir, pins, "second").Pin(t.Context()); err != nil {
		t.Error(err)
	}
	if l := opened(t, dir, pins, "third"); l.Look(t.Context()) != nil || l.Pinned().IsZero() {
		t.Error("what is pinned isn't found")
	}
}

// TestLists: what decides which objects there are, or how they become items, makes another
// list; how the store is reached doesn't.
func TestLists(t *testing.T) {
	name := func(s Spec) string {
		t.Helper()
		l, err := Open(t.Context(), new(store.Stores), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.name()
	}
	seen := map[string]Spec{}
	for _, s := range []Spec{
		{URL: "s3://b/in/"}, {URL: "s3://b/in/*"}, {URL: "s3://b/"}, {URL: "s3://c/in/"}, {URL: "gs://bbb/in/"},
		{URL: "s3://b/in/", Exclude: []string{"a"}}, {URL: "s3://b/in/", Exclude: []string{"a", "b"}}, {URL: "s3://b/in/", GroupBy: "a"},
	} {
		if other, met := seen[name(s)]; met {
			t.Errorf("%+v and %+v are one list", s, other)
		}
		seen[name(s)] = s
	}
	if a, b := name(Spec{URL: "s3://b/in/?region=eu-west-1"}), name(Spec{URL: "s3://b/in/?endpoint=http://localhost:9000", Ours: []string{"s3://b/in/m"}}); a != b || a != name(Spec{URL: "s3://b/in/"}) {
		t.Error("another way to the store is another list")
	}
}

// TestNamed: what is said of an object by its key alone.
func TestNamed(t *testing.T) {
	for url, want := range map[string]Named{
		"s3://b/in/":      {URL: "s3://b/in/d/a.tar.gz", Path: "in/d/a.tar.gz", Dir: "in/d", Name: "a.tar.gz", Stem: "a.tar"},
		"s3://b/":         {URL: "s3://b/d/a.tar.gz", Path: "d/a.tar.gz", Dir: "d", Name: "a.tar.gz", Stem: "a.tar"},
		"file:///":        {URL: "file:///d/a.tar.gz", Path: "/d/a.tar.gz", Dir: "/d", Name: "a.tar.gz", Stem: "a.tar"},
		"file:///x%20y/*": {URL: "file:///x%20y/d/a.tar.gz", Path: "/x y/d/a.tar.gz", Dir: "/x y/d", Name: "a.tar.gz", Stem: "a.tar"},
	} {
		l, err := Open(t.Context(), new(store.Stores), Spec{URL: url}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want.Key = "d/a.tar.gz"
		if diff := cmp.Diff(want, l.Named(Object{Key: want.Key})); diff != "" {
			t.Errorf("%s: %s", url, diff)
		}
		l.Close()
	}
	l, _ := Open(t.Context(), new(store.Stores), Spec{URL: "file:///"}, nil)
	defer l.Close()
	for key, want := range map[string][2]string{"a": {"a", "/"}, ".a": {".a", "/"}, "a.": {"a", "/"}} {
		if n := l.Named(Object{Key: key}); n.Stem != want[0] || n.Dir != want[1] {
			t.Errorf("%s: stem %q, dir %q", key, n.Stem, n.Dir)
		}
	}
}

// FuzzDocument: whatever stands in the list's place is refused, or read without a panic.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(`{"version":1,"items":1,"lines":[{"files":[{"key":"a"}]}]}`))
	f.Add([]byte(`{"version":1,"items":2,"pieces":[{"key":"manifest/x","blocks":[[2,9,5]]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, err := decode(body)
		if err != nil {
			return
		}
		l := &List{doc: doc, pins: &memory{held: map[string][]byte{"manifest/x": []byte(`{"files"}`)}}, place: place{dir: "/"}}
		_ = l.Items(context.Background(), 0, doc.Items, func(_ int64, it Item) error {
			l.Texts(it)
			return nil
		})
	})
}

// TestStopped: a list that is being made ends with whoever wants it.
func TestStopped(t *testing.T) {
	l := opened(t, many(t, 10), t.TempDir(), "first")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&contract.Error{Kind: contract.Other, Cause: errors.New("enough")})
	if err := l.Pin(ctx); err == nil || !strings.Contains(err.Error(), "enough") {
		t.Errorf("%v", err)
	}
}
