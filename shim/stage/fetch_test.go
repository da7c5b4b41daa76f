package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task/objects"
	"nth/shim/transfer"
	"nth/testdata/servers"
)

var patient = store.Policy{Window: 10 * time.Minute, PerCall: 5 * time.Minute}

func newStage(t testing.TB) *Stage {
	g := &Stage{Mover: &transfer.Mover{PartSize: 64 << 10, Policy: patient}, Stores: &store.Stores{}}
	t.Cleanup(g.Stores.Close)
	return g
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), url)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// places are the stores, as the URL of a directory and of what is below it.
var places = []struct {
	name string
	url  func(t testing.TB) func(below string) string
}{
	{"file", func(t testing.TB) func(string) string {
		dir := t.TempDir()
		return func(below string) string { return "file://" + dir + "/" + below }
	}},
	{"s3", func(t testing.TB) func(string) string {
		for _, v := range servers.S3Env() {
			name, value, _ := strings.Cut(v, "=")
			os.Setenv(name, value)
		}
		s := servers.StartS3(t)
		s.Bucket(t, "data")
		return func(below string) string { return s.URL("data", "in/"+below) }
	}},
}

// tree gives the files below a directory, with their contents.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir+"/")] = string(body)
		return err
	}))
	return all
}

func wantTree(t testing.TB, dir string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", dir, diff)
	}
}

func wantCode(t testing.TB, err error, want failure.Code, says string) {
	t.Helper()
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || f.Code != want || !strings.Contains(f.Error(), says) {
		t.Errorf("%v, want the code %d and %q", err, want, says)
	}
}

// TestFetch: what an input names is where its path says, and nothing else is.
func TestFetch(t *testing.T) {
	large := strings.Repeat("0123456789", 30000)
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			url := p.url(t)
			s := open(t, url(""))
			for key, body := range map[string]string{"a.txt": "A", "d/b.gz": "B", "d/e/c.gz": large, "d/e f+#/é": "", "d/.nth/run/0/b.gz": "staged", "x/y": "Y"} {
				must(t, s.Put(t.Context(), key, []byte(body)))
			}
			if p.name != "file" { // folders, as they are made by hand and by Hadoop
				for _, key := range []string{"d/", "d/e/", "d/x_$folder$"} {
					must(t, s.Put(t.Context(), key, nil))
				}
			}
			for name, tt := range map[string]struct {
				url, path string
				want      map[string]string
			}{
				"an object":            {"d/b.gz", "new/dir/in", map[string]string{"new/dir/in": "B"}},
				"a large one":          {"d/e/c.gz", "in", map[string]string{"in": large}},
				"into a directory":     {"d/b.gz", "new/", map[string]string{"new/b.gz": "B"}},
				"a prefix":             {"d/", "in/", map[string]string{"in/b.gz": "B", "in/e/c.gz": large, "in/e f+#/é": ""}},
				"a glob":               {"d/**/*.gz", "in/", map[string]string{"in/b.gz": "B", "in/e/c.gz": large}},
				"a glob with a prefix": {"d/b*", "in/", map[string]string{"in/b.gz": "B"}},
			} {
				t.Run(name, func(t *testing.T) {
					dir := t.TempDir()
					for range 2 { // what is there already is replaced
						got, err := newStage(t).Fetch(t.Context(), Input{URL: withParameters(url, tt.url), Path: dir + "/" + tt.path})
						must(t, err)
						bytes := 0
						for _, body := range tt.want {
							bytes += len(body)
						}
						if want := (Got{int64(len(tt.want)), int64(bytes)}); got != want {
							t.Errorf("got %+v, want %+v", got, want)
						}
						wantTree(t, dir, tt.want)
					}
				})
			}
			for name, tt := range map[string]Input{
				"no object": {URL: "none", Path: "in"}, "nothing below": {URL: "none/", Path: "in/"}, "nothing that matches": {URL: "d/*.zip", Path: "in/"},
				"no directory": {URL: "none/x", Path: "in"}, "no checkpoint": {URL: "none/x", Path: "in", Optional: true},
			} {
				_, err := newStage(t).Fetch(t.Context(), Input{URL: withParameters(url, tt.URL), Path: t.TempDir() + "/" + tt.Path, Optional: tt.Optional})
				if p.name == "file" && (name == "nothing below" || name == "no directory") { // its volume may not be mounted
					wantCode(t, err, failure.Unavailable, "does not exist")
					continue
				}
				if !errors.Is(err, ErrMissing) {
					t.Errorf("%s: %v", name, err)
				}
				wantCode(t, err, failure.NoInput, "correct the URL of --input")
			}
			_, err := newStage(t).Fetch(t.Context(), Input{URL: withParameters(url, "d/"), Path: t.TempDir() + "/in"})
			wantCode(t, err, failure.Usage, "end the path with a slash")
		})
	}
}

// withParameters puts a path before the parameters; a # is none of it.
func withParameters(url func(string) string, below string) string {
	return url(strings.ReplaceAll(below, "#", "%23"))
}

// TestModes: what is fetched has the permissions of the file that it was, as far as the umask
// lets it and whatever had its name; never more than those.
func TestModes(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			url := p.url(t)
			s := open(t, url(""))
			for mode, want := range map[fs.FileMode]fs.FileMode{0: 0o644, 0o755: 0o755, 0o777: 0o755, 0o666: 0o644, 0o600: 0o600, 0o711: 0o711,
				0o755 | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky: 0o755, 0o022: 0o600} {
				must(t, s.Stream(t.Context(), "d/a", strings.NewReader("A"), contract.Parts{Mode: mode}))
				if path, ok := strings.CutPrefix(url("d/a"), "file://"); ok && mode != 0 {
					must(t, os.Chmod(path, mode))
				}
				dir := t.TempDir()
				must(t, os.WriteFile(dir+"/a", nil, 0o600))
				for in, to := range map[string]string{"d/a": "/a", "d/": "/of/"} {
					_, err := newStage(t).Fetch(t.Context(), Input{URL: url(in), Path: dir + to})
					must(t, err)
				}
				for _, name := range []string{"/a", "/of/a"} {
					if info, err := os.Stat(dir + name); err != nil || info.Mode() != want&^umask(t) {
						t.Errorf("%v became %v, want %v: %v", mode, info.Mode(), want, err)
					}
				}
				wantTree(t, dir, map[string]string{"a": "A", "of/a": "A"})
			}
		})
	}
}

// umask is that of this process.
func umask(t *testing.T) fs.FileMode {
	t.Helper()
	path := t.TempDir() + "/x"
	must(t, os.Mkdir(path, 0o777))
	info, err := os.Stat(path)
	must(t, err)
	return 0o777 &^ info.Mode().Perm()
}

// TestNoWayOut: neither a key nor a link leads out of the directory, and what is there of
// a link's name is replaced, not written through.
func TestNoWayOut(t *testing.T) {
	g := newStage(t)
	for _, key := range []string{"../out", "a/../../out", "/out", "a//b", "./a", "a/.", "..", "a\x00b"} {
		s := open(t, "mem://")
		must(t, s.Put(t.Context(), "fine", nil))
		must(t, s.Put(t.Context(), key, []byte("evil")))
		dir := t.TempDir()
		_, err := g.tree(t.Context(), s, objects.Matching{}, dir+"/in/")
		wantCode(t, err, failure.BadIndex, "its key is no path below a directory")
		_, err = g.one(t.Context(), s, key, dir+"/in/")
		wantCode(t, err, failure.BadIndex, "its key is no path below a directory")
		for path, body := range tree(t, dir) {
			if body == "evil" {
				t.Errorf("%q is at %s", key, path)
			}
		}
	}
	s := open(t, "mem://")
	must(t, s.Put(t.Context(), "a/b/c", []byte("new")))
	dir := t.TempDir()
	for _, d := range []string{"in/a", "in/inside", "out", "out/b"} {
		must(t, os.MkdirAll(dir+"/"+d, 0o755))
	}
	must(t, os.WriteFile(dir+"/out/c", []byte("kept"), 0o644))
	for _, link := range []string{"../../out", dir + "/out"} {
		must(t, os.Symlink(link, dir+"/in/a/b"))
		_, err := g.tree(t.Context(), s, objects.Matching{}, dir+"/in/")
		wantCode(t, err, failure.Unavailable, "escapes")
		must(t, os.Remove(dir+"/in/a/b"))
		wantTree(t, dir, map[string]string{"out/c": "kept"})
	}
	must(t, os.Symlink("../inside", dir+"/in/a/b"))
	must(t, os.Symlink("../../out/c", dir+"/in/inside/c"))
	_, err := g.tree(t.Context(), s, objects.Matching{}, dir+"/in/")
	must(t, err)
	if info, err := os.Lstat(dir + "/in/inside/c"); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link is %v, %v", info, err)
	}
	if body, err := os.ReadFile(dir + "/out/c"); string(body) != "kept" || err != nil {
		t.Errorf("written through the link: %q, %v", body, err)
	}
}

// TestClash: an object and a directory of the same name are no tree, whatever comes between
// them in order of keys.
func TestClash(t *testing.T) {
	s := open(t, "mem://")
	for _, key := range []string{"a", "a b", "a!x/y", "a-1", "a.x", "a/b"} {
		must(t, s.Put(t.Context(), key, nil))
	}
	_, err := newStage(t).tree(t.Context(), s, objects.Matching{}, t.TempDir()+"/")
	wantCode(t, err, failure.BadIndex, "an object and a directory have the same name")
	must(t, s.Delete(t.Context(), "a"))
	dir := t.TempDir()
	must(t, os.Mkdir(dir+"/a b", 0o755))
	_, err = newStage(t).tree(t.Context(), s, objects.Matching{}, dir+"/")
	wantCode(t, err, failure.Unavailable, "a directory stands where a file belongs")
	for begin := time.Now(); ; time.Sleep(time.Millisecond) { // what was given up is cleaned up when it ends
		left, _ := filepath.Glob(dir + "/" + temporary + "*")
		if len(left) == 0 {
			break
		}
		if time.Since(begin) > 5*time.Minute {
			t.Fatalf("%v is left", left)
		}
	}
}

// TestReplacedObject: an object that changes while it comes is begun anew, and what is there
// then is whole.
func TestReplacedObject(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			url := p.url(t)
			s := open(t, url(""))
			must(t, s.Put(t.Context(), "x", []byte(strings.Repeat("old", 1<<20))))
			want := strings.Repeat("new", 1<<20)
			g := newStage(t)
			replaced := false
			g.Mover.AtOnce = 1
			g.Mover.Moved = func(int64) {
				if !replaced {
					replaced = true
					must(t, s.Put(context.Background(), "x", []byte(want)))
				}
			}
			dir := t.TempDir()
			_, err := g.Fetch(t.Context(), Input{URL: url("x"), Path: dir + "/in"})
			must(t, err)
			wantTree(t, dir, map[string]string{"in": want})
		})
	}
}

// TestMany: hundreds of objects come, however often their connections are cut.
func TestMany(t *testing.T) {
	for _, v := range servers.S3Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	server := servers.StartS3(t)
	server.Bucket(t, "data")
	s := open(t, server.URL("data", "in"))
	want := map[string]string{}
	for i := range 300 {
		want[fmt.Sprintf("%d/%d", i%10, i)] = strings.Repeat(fmt.Sprint(i), 4000)
	}
	keys := []string{}
	for key := range want {
		keys = append(keys, key)
	}
	must(t, store.Each(t.Context(), len(keys), func(ctx context.Context, k int) error {
		return s.Put(ctx, keys[k], []byte(want[keys[k]]))
	}))
	cutter := servers.StartCutter(t, server.Address, 1, 300<<10) // a listing fits into most
	dir := t.TempDir()
	_, err := newStage(t).Fetch(t.Context(), Input{URL: "s3://data/in/?endpoint=http://" + cutter.Addr().String() + "&use_path_style=true", Path: dir + "/"})
	must(t, err)
	wantTree(t, dir, want)
	if cutter.Cuts.Load() < 5 {
		t.Errorf("it cut %d times", cutter.Cuts.Load())
	}
}

// FuzzLocal: a key is its own path below the directory, or refused; it never leads out.
func FuzzLocal(f *testing.F) {
	for _, key := range []string{"a/b", "../a", "/a", "a//b", "a/..", "a\x00", "", "a\\b", "..a/b..", "a/./b", "é", "\xff"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		path, err := local(key)
		if err != nil {
			return
		}
		full := filepath.Join("/target", path)
		if path != key || !strings.HasPrefix(full, "/target/") || full != "/target/"+key {
			t.Errorf("%q is at %q", key, full)
		}
	})
}
