package commit

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
)

// desk is a directory with markers and outputs.
type desk struct {
	t   *testing.T
	dir string
}

func (d desk) open(path string) *store.Store {
	d.t.Helper()
	if err := os.MkdirAll(filepath.Join(d.dir, path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	s, err := store.Open(context.Background(), "file://"+filepath.Join(d.dir, path))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = s.Close() })
	return s
}

func (d desk) item(run, digest, onChange string) *Item {
	p := store.Policy{Window: time.Minute}
	return &Item{Book: &marker.Book{Store: d.open("m"), OnChange: onChange, Wait: p, Write: p, Told: p},
		Header:  marker.Header{Version: 1, Index: 5, RunID: run, Digest: digest},
		Outputs: []Output{{Store: d.open("out"), Name: "5.txt", URL: "s3://b/out/?region=x"}, {Store: d.open("out"), Dir: "tree/", URL: "s3://b/out/tree/?region=x"}}}
}

// stage has a run stage its outputs.
func (d desk) stage(it *Item) (*Staging, []Object) {
	d.t.Helper()
	s, err := it.Stage(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	for n, key := range []string{"", "a/b"} {
		if err := it.Outputs[n].Store.Put(context.Background(), s.Key(n, key), []byte(it.Header.RunID)); err != nil {
			d.t.Fatal(err)
		}
	}
	return s, []Object{{Output: 0, Size: 1, Checksum: "crc32c:0"}, {Output: 1, Key: "a/b", Size: 1}}
}

func (d desk) done(it *Item) marker.Marker {
	return marker.Marker{Header: it.Header, Source: marker.SourceRun, Outcome: marker.Done}
}

// files are what is there, with what is in the outputs.
func (d desk) files() map[string]string {
	all := map[string]string{}
	_ = filepath.WalkDir(d.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(d.dir, path)
		all[name] = ""
		if body, err := os.ReadFile(path); err == nil && strings.HasPrefix(name, "out/") {
			all[name] = string(body)
		}
		return nil
	})
	return all
}

func published(run string) map[string]string {
	return map[string]string{"m/commit/5.json": "", "m/done/5.json": "", "out/5.txt": run, "out/tree/a/b": run}
}

func (d desk) want(want map[string]string) {
	d.t.Helper()
	if diff := cmp.Diff(want, d.files()); diff != "" {
		d.t.Error(diff)
	}
}

// TestPublish: what is there after each step, of one that wins and of one that is too late.
func TestPublish(t *testing.T) {
	ctx := context.Background()
	d := desk{t, t.TempDir()}
	a, b := d.item("a", "v1", marker.OnChangeFail), d.item("b", "v1", marker.OnChangeFail)
	c, free, err := a.Look(ctx)
	if c != nil || err != nil {
		t.Fatal(c, err)
	}
	staged, objects := d.stage(a)
	d.want(map[string]string{"m/staging/5/a.json": "", "out/.nth/a/0/5.txt": "a", "out/tree/.nth/a/1/a/b": "a"})
	note, err := os.ReadFile(filepath.Join(d.dir, "m/staging/5/a.json"))
	if err != nil || !strings.Contains(string(note), `"s3://b/out/tree/.nth/a/?region=x"`) {
		t.Errorf("%s, %v", note, err)
	}
	late, lateObjects := d.stage(b)
	s, err := staged.Publish(ctx, free, d.done(a), objects, nil)
	if err != nil || s.How != marker.Written {
		t.Fatal(s, err)
	}
	if err := s.Clean(ctx); err != nil {
		t.Error(err)
	}
	if s, err = late.Publish(ctx, Vacancy{}, d.done(b), lateObjects, nil); err != nil || s.Marker().RunID != "a" {
		t.Fatal(s, err)
	}
	if err := s.Clean(ctx); err != nil {
		t.Error(err)
	}
	d.want(published("a"))
	e, err := a.Book.Look(ctx, a.Header)
	if err != nil || len(e.Outputs) != 2 || e.Outputs[0].Checksum != "crc32c:0" || !strings.HasSuffix(e.Outputs[1].URL, "/out/tree/a/b") {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestStopped: of a run that was stopped at some step the next start makes the most.
func TestStopped(t *testing.T) {
	ctx := context.Background()
	stale := func(d desk) {
		for _, name := range []string{"m/done/5.json", "out/.nth/a/0/5.txt"} {
			_ = os.Remove(filepath.Join(d.dir, name))
		}
	}
	for name, c := range map[string]struct {
		digest, onChange string
		between          func(desk)
		winner           string // "": it fails
	}{
		"committed":                    {"v1", marker.OnChangeFail, func(desk) {}, "a"},
		"committed, and forgotten":     {"v1", marker.OnChangeFail, stale, "b"},
		"another command":              {"v2", marker.OnChangeFail, func(desk) {}, ""},
		"another command, skip":        {"v2", marker.OnChangeSkip, func(desk) {}, ""},
		"another command, run again":   {"v2", marker.OnChangeRerun, func(desk) {}, "b"},
		"a commit that makes no sense": {"v1", marker.OnChangeFail, func(d desk) { _ = os.WriteFile(filepath.Join(d.dir, "m/commit/5.json"), []byte("{"), 0o644) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := desk{t, t.TempDir()}
			a := d.item("a", "v1", marker.OnChangeFail)
			staged, objects := d.stage(a)
			if _, err := staged.Commit(ctx, Vacancy{}, d.done(a), objects); err != nil {
				t.Fatal(err)
			}
			if err := staged.Drop(ctx); err != nil || d.files()["out/.nth/a/0/5.txt"] != "a" {
				t.Errorf("what is committed was dropped: %v", err)
			}
			c.between(d)
			b := d.item("b", c.digest, c.onChange)
			committed, free, err := b.Look(ctx)
			if c.winner == "" {
				if f := failure.From(err); err == nil || f.Code != failure.BadIndex {
					t.Fatal(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var s *Settled
			if committed != nil {
				if s, free, err = committed.RollForward(ctx, nil); err != nil {
					t.Fatal(err)
				}
			}
			if s == nil {
				again, objects := d.stage(b)
				if s, err = again.Publish(ctx, free, d.done(b), objects, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Clean(ctx); err != nil {
				t.Error(err)
			}
			got := d.files()
			delete(got, "m/staging/5/a.json") // of a run that is over, where its own outputs came to nothing
			if diff := cmp.Diff(published(c.winner), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDrop: a run that goes no further leaves nothing, and takes nothing of others.
func TestDrop(t *testing.T) {
	d := desk{t, t.TempDir()}
	s, _ := d.stage(d.item("a", "v1", marker.OnChangeFail))
	_, _ = d.stage(d.item("ab", "v1", marker.OnChangeFail))
	if err := s.Drop(context.Background()); err != nil {
		t.Error(err)
	}
	d.want(map[string]string{"m/staging/5/ab.json": "", "out/.nth/ab/0/5.txt": "ab", "out/tree/.nth/ab/1/a/b": "ab"})
}

// TestMisfit: a commit of the same digest that lacks an output isn't rolled forward.
func TestMisfit(t *testing.T) {
	d := desk{t, t.TempDir()}
	a := d.item("a", "v1", marker.OnChangeFail)
	s, objects := d.stage(a)
	for name, wrong := range map[string][]Object{
		"without the object":        objects[1:],
		"a key under an object":     {{Output: 0, Key: "x"}},
		"an object for a directory": {objects[0], {Output: 1}},
		"an output that isn't":      {objects[0], {Output: 2}},
		"a key that goes up":        {objects[0], {Output: 1, Key: "../x"}},
	} {
		if _, err := s.Commit(context.Background(), Vacancy{}, d.done(a), wrong); err == nil || failure.From(err).Code != failure.NotRecorded {
			t.Errorf("%s: %v", name, err)
		}
	}
}
