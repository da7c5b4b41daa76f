//go:build linux

package wait

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/shim/success"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// document reads the one of a Job; nil: there is none.
func document(t *testing.T, url string) *success.Document {
	t.Helper()
	s, key, err := store.OpenObject(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d, err := (&success.Job{At: s, Key: key}).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// counts is what of a document doesn't depend on the time.
func counts(d *success.Document) success.Document {
	return success.Document{Completions: d.Completions, Done: d.Done, Skipped: d.Skipped, Failed: d.Failed, FailedList: d.FailedList, Job: d.Job}
}

// TestSuccess: of many indexes at once one writes the document, after the last marker; who
// waits for it asks for nothing else.
func TestSuccess(t *testing.T) {
	const n = 24
	server := servers.StartS3(t)
	server.Bucket(t, "bucket")
	dir := t.TempDir()
	for name, base := range map[string]string{"file": "file://" + dir, "s3": "s3://bucket"} {
		t.Run(name, func(t *testing.T) {
			env, query := servers.S3Env(), ""
			if name == "s3" {
				query = strings.TrimPrefix(server.URL("bucket", ""), "s3://bucket/")
			}
			markers, end := base+"/m"+query, base+"/end.json"+query
			flags := []string{"--completions=" + strconv.Itoa(n), "--job=resize", "--markers", markers, "--success", end,
				"--skip-exit-codes=2", "--", "sh", "-c", "exit $(( <<.Index>> == 2 ? 2 : 0 ))"}
			w := start(t, env, "--success", end)
			w.stderr.Await(t, "waiting for")
			var runs sync.WaitGroup
			for index := range n - 1 {
				runs.Go(func() { run(t, env, index, flags...) })
			}
			runs.Wait()
			if d := document(t, end); d != nil {
				t.Fatalf("it is there before the last index is done: %+v", d)
			}
			run(t, env, n-1, flags...)
			d := document(t, end)
			if d == nil {
				t.Fatal("it isn't there when the last index is done")
			}
			want := success.Document{Completions: n, Done: n - 1, Skipped: 1, Job: "resize"}
			if diff := cmp.Diff(want, counts(d)); diff != "" {
				t.Error(diff)
			}
			if !strings.HasPrefix(d.Digest, "v1:sha256:") || d.First.IsZero() || d.Last.Before(d.First) || d.RunID == "" || !strings.HasSuffix(d.Markers, "/m/") {
				t.Errorf("%+v", d)
			}
			w.ends(t, 0, "24 of 24 settled, 1 of them skipped, "+d.Written.Format("2006-01-02T15:04:05Z")+"\n")
		})
	}
}

// TestSuccessLate: where nobody has looked after the last marker, as when its run was
// killed, the next start of any index does, and so does who waits; what has failed and may
// stands in the document.
func TestSuccessLate(t *testing.T) {
	for _, tt := range []struct {
		name    string
		failing string
		finish  func(t *testing.T, markers, end string)
		want    success.Document
	}{
		{"the next start", "0", func(t *testing.T, markers, end string) {
			run(t, nil, 1, "--completions=3", "--markers", markers, "--success", end, "--", "sh", "-c", "exit 0")
		}, success.Document{Completions: 3, Done: 3}},
		{"who waits", "0", func(t *testing.T, markers, end string) {
			start(t, nil, "--markers", markers, "--success", end).Wait()
		}, success.Document{Completions: 3, Done: 3}},
		{"who waits, with a failure", "<<.Index>> == 1", func(t *testing.T, markers, end string) {
			start(t, nil, "--markers", markers, "--success", end, "--max-failed=1").Wait()
		}, success.Document{Completions: 3, Done: 2, Failed: 1, FailedList: "1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			markers, end := "file://"+dir, "file://"+dir+"/_SUCCESS.json"
			for index := range 3 {
				run(t, nil, index, "--completions=3", "--markers", markers, "--", "sh", "-c", "exit $(( "+tt.failing+" ))")
			}
			age(t, filepath.Join(dir, "failed"))
			if tt.failing == "0" { // the same command in both runs
				for index := range 3 {
					retell(t, filepath.Join(dir, "done", strconv.Itoa(index)+".json"))
				}
			}
			tt.finish(t, markers, end)
			d := document(t, end)
			if d == nil {
				t.Fatal("there is no document")
			}
			if diff := cmp.Diff(tt.want, counts(d)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSuccessTheirs: a run that finds its marker written by another one, which may have been
// killed behind it, believes nobody that the document is another's to write.
func TestSuccessTheirs(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	flags := []string{"--completions=2", "--markers=file://" + dir}
	run(t, nil, 1, append(flags, "--", "true")...)
	other := nth + " run --index=0 " + strings.Join(flags, " ") + " -- true"
	run(t, nil, 0, append(flags, "--on-change=skip", "--success=file://"+dir+"/end.json", "--", "sh", "-c", other)...)
	if document(t, "file://"+dir+"/end.json") == nil {
		t.Error("all is done, and nobody has written so")
	}
}

// retell takes the digest out of a marker, as one that was written by hand has none.
func retell(t *testing.T, path string) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	m["digest"], m["source"] = "", "mark"
	if body, err = json.Marshal(m); err == nil {
		err = os.WriteFile(path, body, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSuccessRefused: what no document can tell of is refused before the command runs.
func TestSuccessRefused(t *testing.T) {
	dir := t.TempDir()
	markers, end := "--markers=file://"+dir, "--success=file://"+dir+"/end.json"
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--completions=2", end}, 78, "there is no --markers URL"},
		{[]string{markers, end}, 78, "how many indexes must be done isn't known"},
		{[]string{"--completions=2", markers, "--success=file://" + dir + "/<<.Index>>.json"}, 78, "is one run's"},
		{[]string{"--completions=2", markers + "/<<.Index>>", end}, 78, "is one run's"},
		{[]string{"--completions=2", markers, end, "--tasks=redis://localhost/0?queue=q"}, 78, "only its workers know"},
		{[]string{"--completions=2", markers, "--success=file://" + dir + "/"}, 64, "names a directory"},
	} {
		ran := filepath.Join(dir, "ran")
		_, stderr, code := program.Nth(t, nil, append(append([]string{"run", "--index=0"}, tt.args...), "--", "touch", ran)...)
		if code != tt.code || !strings.Contains(stderr, tt.says) {
			t.Errorf("%q: exit code %d: %s", tt.args, code, stderr)
		}
		if _, err := os.Stat(ran); err == nil {
			t.Fatalf("%q: the command ran", tt.args)
		}
	}
}
