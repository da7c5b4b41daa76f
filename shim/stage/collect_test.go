package stage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
)

// lay writes files, by path; "-> x" is a link to x, and a path with a slash a directory.
func lay(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, body := range files {
		full := filepath.Join(dir, path)
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		switch link, ok := strings.CutPrefix(body, "-> "); {
		case strings.HasSuffix(path, "/"):
			must(t, os.MkdirAll(full, 0o755))
		case ok:
			must(t, os.Symlink(strings.ReplaceAll(link, "DIR", dir), full))
		default:
			must(t, os.WriteFile(full, []byte(body), 0o640))
		}
	}
	return dir
}

// TestCollect: what is an output, and what is none.
func TestCollect(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		path  string
		want  string // the keys, or what the error says
		fails bool
	}{
		"a file":                     {map[string]string{"out": "x"}, "out", "[]", false},
		"a directory":                {map[string]string{"out/b": "x", "out/a/c": "y", "out/a.x": ""}, "out/", "[a.x a/c b]", false},
		"an empty file":              {map[string]string{"out": ""}, "out", "[]", false},
		"a link within":              {map[string]string{"out/v/r": "x", "out/r": "-> v/r", "out/s": "-> DIR/out/v/r"}, "out/", "[r s v/r]", false},
		"a link to a directory":      {map[string]string{"out/v/r": "x", "out/last": "-> v"}, "out/", "[last/r v/r]", false},
		"the directory is a link":    {map[string]string{"real/r": "x", "out": "-> real"}, "out/", "[r]", false},
		"a file that is a link":      {map[string]string{"v1": "x", "out": "-> v1"}, "out", "[]", false},
		"what a killed nth left":     {map[string]string{"out/" + temporary + "12": "x", "out/r": "y"}, "out/", "[r]", false},
		"nothing":                    {nil, "out", "it does not exist", true},
		"no directory":               {nil, "out/", "it does not exist", true},
		"an empty directory":         {map[string]string{"out/": "", "out/a/": ""}, "out/", "there is no file in it", true},
		"a link out":                 {map[string]string{"out/r": "-> ../secret", "secret": "s"}, "out/", `"r" is a link out of the directory`, true},
		"an absolute one":            {map[string]string{"out/r": "-> DIR/secret", "secret": "s"}, "out/", `"r" is a link out of the directory`, true},
		"a directory's":              {map[string]string{"out/r": "-> ../secrets", "secrets/s": "s"}, "out/", `"r" is a link out of the directory`, true},
		"a chain out":                {map[string]string{"out/q": "x", "out/r": "-> s", "out/s": "-> ../out2/x", "out2/x": "y"}, "out/", "is a link out of the directory", true},
		"a file's":                   {map[string]string{"o/out": "-> ../secret", "secret": "s"}, "o/out", "is a link out of the directory", true},
		"a link to nothing":          {map[string]string{"out/r": "-> none", "out/x": ""}, "out/", `"r" is a link to nothing`, true},
		"a link to itself":           {map[string]string{"out/r": "-> r"}, "out/", "too many links", true},
		"a directory in itself":      {map[string]string{"out/a/b/r": "-> ../../a", "out/x": ""}, "out/", "is a link to a directory that it is in itself", true},
		"all of it in itself":        {map[string]string{"out/a/r": "-> ..", "out/x": ""}, "out/", "is a link to a directory that it is in itself", true},
		"a directory without slash":  {map[string]string{"out/a": "x"}, "out", "end both the path and the URL of --output with a slash", true},
		"a file with one":            {map[string]string{"out": "x"}, "out/", "not a directory", true},
		"nth's own":                  {map[string]string{"out/a/.nth/x": "x"}, "out/", "nth's own", true},
		"a name that can't be a key": {map[string]string{"out/\xff": "x"}, "out/", "no UTF-8", true},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := Outputs.Collect(t.Context(), filepath.Join(lay(t, tt.files))+"/"+tt.path)
			if tt.fails {
				wantCode(t, err, failure.NotRecorded, tt.want)
				missing := name == "nothing" || name == "no directory" || name == "an empty directory"
				if errors.Is(err, ErrMissing) != missing {
					t.Errorf("is it missing? %v", err)
				}
				return
			}
			must(t, err)
			keys := []string{}
			for _, f := range o.Files {
				keys = append(keys, f.Key)
			}
			if got := fmt.Sprint(keys); got != tt.want {
				t.Errorf("the keys are %s, want %s", got, tt.want)
			}
		})
	}
}

// TestCollectNoFile: what can't be an object is named.
func TestCollectNoFile(t *testing.T) {
	dir := lay(t, map[string]string{"out/a": "x"})
	t.Chdir(dir) // a socket's name is short
	l, err := net.Listen("unix", "out/s")
	must(t, err)
	_, err = Outputs.Collect(t.Context(), "out/")
	wantCode(t, err, failure.NotRecorded, `"s" is a socket`)
	l.Close()
	must(t, syscall.Mkfifo("out/p", 0o600))
	_, err = Outputs.Collect(t.Context(), "out/")
	wantCode(t, err, failure.NotRecorded, `"p" is a named pipe`)
	_, err = Outputs.Collect(t.Context(), "/dev/null")
	wantCode(t, err, failure.NotRecorded, "is a device")
}

// TestUpload: the files of an output come to their places, with their sums and modes.
func TestUpload(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			s := open(t, p.url(t)(""))
			dir := lay(t, map[string]string{"out/a": "A", "out/d/b": strings.Repeat("B", 300<<10), "out/l": "-> a"})
			must(t, os.Chmod(dir+"/out/a", 0o755))
			o, err := Outputs.Collect(t.Context(), dir+"/out/")
			must(t, err)
			staged, err := newStage(t).Upload(t.Context(), o, s, func(f File) string { return ".nth/run/0/" + f.Key })
			must(t, err)
			got := map[string]string{}
			for _, f := range staged {
				body, _, err := s.Read(t.Context(), ".nth/run/0/"+f.Key)
				must(t, err)
				got[f.Key] = fmt.Sprint(len(body), " ", f.Sum.Size, " ", f.Mode, " ", len(f.Sum.String()))
			}
			want := map[string]string{"a": "1 1 -rwxr-xr-x 15", "d/b": "307200 307200 -rw-r----- 15", "l": "1 1 -rwxr-xr-x 15"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestUploadChanged: what isn't as it was when it was collected is not uploaded.
func TestUploadChanged(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"gone": os.Remove,
		"another": func(path string) error {
			return errors.Join(os.WriteFile(path+"2", []byte("x"), 0o644), os.Rename(path+"2", path))
		},
		"longer":      func(path string) error { return os.Truncate(path, 100) },
		"overwritten": func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) },
		"a link out":  func(path string) error { return errors.Join(os.Remove(path), os.Symlink("../../secret", path)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := lay(t, map[string]string{"out/d/a": "A", "secret": "s"})
			o, err := Outputs.Collect(t.Context(), dir+"/out/")
			must(t, err)
			must(t, change(dir+"/out/d/a"))
			s := open(t, "mem://")
			_, err = newStage(t).Upload(t.Context(), o, s, func(f File) string { return f.Key })
			wantCode(t, err, failure.NotRecorded, "upload the output "+dir+"/out/d/a: ")
			if there, err := s.Exists(t.Context(), "d/a"); there || err != nil {
				t.Errorf("it is there: %v, %v", there, err)
			}
		})
	}
}

// TestKinds: what is wrong is told in the words of what it is, and of files for a look the
// rest is taken.
func TestKinds(t *testing.T) {
	for name, tt := range map[string]struct {
		kind          Kind
		changed, none string
	}{
		"output":     {Outputs, "upload the output DIR/out/a: the file changed while it was read: it was written after the command had ended (something still writes to it", "collect the output DIR/out: it is a directory (for all of it end both the path and the URL of --output with a slash)"},
		"checkpoint": {Checkpoints, "upload the checkpoint DIR/out/a: the file changed while it was read: it was written meanwhile (the command should write it under a temporary name and rename it", "collect the checkpoint DIR/out: it is a directory (for all of it end both the path and the URL of --checkpoint with a slash)"},
		"kept":       {Kept, "upload the file DIR/out/a: the file changed while it was read: it was written after the command had ended (something still writes to it)", "collect the file DIR/out: it is a directory (for all of it end both the path and the URL of --keep-failed with a slash)"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := lay(t, map[string]string{"out/a": "A", "more/.nth/x": "", "more/d/a": "A", "more/d/b": "-> /etc/passwd", "more/e": "-> none"})
			o, err := tt.kind.Collect(t.Context(), dir+"/out/")
			must(t, err)
			must(t, os.Chtimes(dir+"/out/a", time.Time{}, time.Now().Add(time.Hour)))
			_, err = newStage(t).Upload(t.Context(), o, open(t, "mem://"), func(f File) string { return f.Key })
			wantCode(t, err, failure.NotRecorded, strings.ReplaceAll(tt.changed, "DIR", dir))
			_, err = tt.kind.Collect(t.Context(), dir+"/out")
			wantCode(t, err, failure.NotRecorded, strings.ReplaceAll(tt.none, "DIR", dir))
			switch o, err := tt.kind.Collect(t.Context(), dir+"/more/"); {
			case name != "kept" && err == nil:
				t.Error("a link out of the directory is an output")
			case name == "kept" && (err != nil || len(o.Files) != 1 || o.Files[0].Key != "d/a" || len(o.LeftOut) != 3):
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
}

// TestSmallAtOnce: small files go many at a time, though they share memory with large ones.
func TestSmallAtOnce(t *testing.T) {
	files := map[string]string{}
	for i := range 200 {
		files[fmt.Sprint("out/", i)] = strings.Repeat("x", 64<<10)
	}
	dir := lay(t, files)
	o, err := Outputs.Collect(t.Context(), dir+"/out/")
	must(t, err)
	g := newStage(t)
	g.Mover.PartSize = 8 << 20
	var now atomic.Int64
	all := make(chan struct{})
	g.Mover.Moved = func(int64) {
		if now.Add(1) == 16 { // all are here at the same time
			close(all)
		}
		select {
		case <-all:
		case <-t.Context().Done():
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if _, err := g.Upload(ctx, o, open(t, "file://"+t.TempDir()), func(f File) string { return f.Key }); err != nil {
		t.Fatal(err)
	}
}
