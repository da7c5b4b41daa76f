package repair_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/repair"
)

// outcome is how a command ended.
type outcome struct {
	stdout, stderr string
	code           int
	err            error
}

// world gives a world whose output goes to files.
func world(t *testing.T) (repair.World, func() outcome) {
	t.Helper()
	var files [3]*os.File
	for i, name := range []string{"stdin", "stdout", "stderr"} {
		f, err := os.Create(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files[i] = f
	}
	p := edge.NewProcess(edge.World{LookupEnv: func(name string) (string, bool) { return "alice", name == "USER" },
		Hostname: "laptop", RunID: fmt.Sprintf("run-%d", time.Now().UnixNano()), Version: "test", Stderr: files[2]})
	w := repair.World{Process: p, Stdin: files[0], Stdout: files[1]}
	return w, func() (o outcome) {
		for i, to := range []*string{1: &o.stdout, 2: &o.stderr} {
			if to == nil {
				continue
			}
			body, err := os.ReadFile(files[i].Name())
			if err != nil {
				t.Fatal(err)
			}
			*to = string(body)
		}
		return o
	}
}

func run(t *testing.T, c any) outcome {
	t.Helper()
	w, told := world(t)
	var code int
	var err error
	switch c := c.(type) {
	case repair.Config:
		return run(t, repair.ResetConfig{Config: c})
	case repair.ResetConfig:
		if c.OlderThan == 0 {
			c.OlderThan = 24 * time.Hour // the default
		}
		c.StoreTimeout, c.Progress = time.Minute, "never"
		code, err = repair.Reset(c, nil, w)
	case repair.MarkConfig:
		c.StoreTimeout, c.Progress = time.Minute, "never"
		code, err = repair.Mark(c, nil, w)
	}
	o := told()
	o.code, o.err = code, err
	if err != nil {
		o.code = int(failure.From(err).Code)
	}
	return o
}

// fill writes documents under a directory.
func fill(t *testing.T, dir string, keys ...string) {
	t.Helper()
	for _, key := range keys {
		path := filepath.Join(dir, key)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// files lists what is under a directory.
func files(t *testing.T, dir string) (keys []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			key, _ := filepath.Rel(dir, path)
			keys = append(keys, key)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

var task = "tasks/ab/ab" + strings.Repeat("0", 62) + ".json"

func sorted(keys []string) []string { slices.Sort(keys); return slices.Compact(keys) }

// job is a Job of 12 indexes, and what else may be there.
var job = []string{
	"done/0.json", "done/1.json", "failed/1.json", "done/10.json", "skipped/10.json", "done/" + task, "failed/" + task,
	"failed/2.json", "started/2.json", "commit/2.json", "progress/2/a.json", "progress/2/b.json", "failed/11.json",
	"started/3.json", "progress/30/a.json", "started/4.json", "failed/40.json",
	// Of others:
	"done/README.txt", "done/07.json", "done/5.json.bak", "done/sub/5.json", "progress/2/notes.txt", "manifest/etag.idx", "other.json",
}

var (
	four = int64(4)
	ten  = int64(10)
)

func TestReset(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config repair.Config
		gone   []string
		said   string
		warned string
		code   int
	}{
		{name: "some", config: repair.Config{Indexes: "1-2,9"}, said: "deleted 1 marker: 1\ndeleted 2 failure records: 1,2\ndeleted 1 commit of outputs: 2\ndeleted 1 record of a start: 2\ndeleted 1 shard's checkpoint: 2\nnothing to reset of 1 other index\n",
			gone: []string{"commit/2.json", "done/1.json", "failed/1.json", "failed/2.json", "progress/2/a.json", "progress/2/b.json", "started/2.json"}},
		{name: "one, and no other that begins like it", config: repair.Config{Indexes: "1"}, gone: []string{"done/1.json", "failed/1.json"},
			said: "deleted 1 marker: 1\ndeleted 1 failure record: 1\n"},
		{name: "a long list", config: repair.Config{Indexes: "0-99999999"}, said: "deleted 3 markers: 0,1,10\ndeleted 4 failure records: 1,2,11,40\ndeleted 1 entry as skipped: 10\ndeleted 1 commit of outputs: 2\ndeleted 3 records of starts: 2-4\ndeleted 2 shards' checkpoints: 2,30\nnothing to reset of 99,999,991 other indexes\n",
			gone: []string{"commit/2.json", "done/0.json", "done/1.json", "done/10.json", "failed/1.json", "failed/11.json", "failed/2.json", "failed/40.json",
				"progress/2/a.json", "progress/2/b.json", "progress/30/a.json", "skipped/10.json", "started/2.json", "started/3.json", "started/4.json"}},
		{name: "failed", config: repair.Config{Failed: true, Completions: &ten}, said: "deleted 1 failure record: 2\ndeleted 1 commit of outputs: 2\ndeleted 1 record of a start: 2\ndeleted 1 shard's checkpoint: 2\n",
			gone: []string{"commit/2.json", "failed/2.json", "progress/2/a.json", "progress/2/b.json", "started/2.json"}},
		{name: "missing", config: repair.Config{Missing: true}, said: "deleted 2 records of starts: 3,4\ndeleted 1 shard's checkpoint: 30\n",
			gone: []string{"progress/30/a.json", "started/3.json", "started/4.json"}},
		{name: "missing of four", config: repair.Config{Missing: true, Completions: &four}, said: "deleted 1 record of a start: 3\n", gone: []string{"started/3.json"}},
		{name: "all", config: repair.Config{All: true, Yes: true}, said: "deleted 4 markers: 0,1,10 and 1 task\ndeleted 5 failure records: 1,2,11,40 and 1 task\ndeleted 1 entry as skipped: 10\ndeleted 1 commit of outputs: 2\ndeleted 3 records of starts: 2-4\ndeleted 2 shards' checkpoints: 2,30\n",
			gone: []string{"commit/2.json", "done/0.json", "done/1.json", "done/10.json", "done/" + task, "failed/1.json", "failed/11.json", "failed/2.json", "failed/40.json", "failed/" + task,
				"progress/2/a.json", "progress/2/b.json", "progress/30/a.json", "skipped/10.json", "started/2.json", "started/3.json", "started/4.json"}},
		{name: "a dry run", config: repair.Config{All: true, DryRun: true, Completions: &four}, said: "would delete 3 markers: 0,1 and 1 task\nwould delete 3 failure records: 1,2 and 1 task\nwould delete 1 commit of outputs: 2\nwould delete 2 records of starts: 2,3\nwould delete 1 shard's checkpoint: 2\n"},
		{name: "nothing there", config: repair.Config{Indexes: "5-9"}, said: "nothing to reset\n"},
		{name: "nobody to ask", config: repair.Config{All: true}, code: 64},
		{name: "none", code: 64},
		{name: "two", config: repair.Config{Failed: true, Missing: true}, code: 64},
		{name: "no list", config: repair.Config{Indexes: "3,x"}, code: 64},
		{name: "backwards", config: repair.Config{Indexes: "3,1"}, code: 64},
		{name: "beyond the last", config: repair.Config{Indexes: "3-4", Completions: &four}, code: 64},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a")
			fill(t, dir, job...)
			fill(t, dir+"b", job...) // whose name begins like ours
			before, beside := files(t, dir), files(t, dir+"b")
			tt.config.Markers = "file://" + dir
			o := run(t, tt.config)
			if o.code != tt.code || o.err == nil && tt.code > 1 {
				t.Fatalf("code %d, %v", o.code, o.err)
			}
			if diff := cmp.Diff(tt.said, o.stdout); diff != "" {
				t.Errorf("stdout: %s", diff)
			}
			if diff := cmp.Diff(tt.warned, o.stderr); diff != "" {
				t.Errorf("stderr: %s", diff)
			}
			left := slices.DeleteFunc(before, func(key string) bool { return slices.Contains(tt.gone, key) })
			if diff := cmp.Diff(left, files(t, dir)); diff != "" {
				t.Errorf("what is left: %s", diff)
			}
			if diff := cmp.Diff(beside, files(t, dir+"b")); diff != "" {
				t.Errorf("another Job: %s", diff)
			}
			if tt.code == 0 && !tt.config.DryRun {
				if o := run(t, tt.config); o.code != 0 || o.stdout != "nothing to reset\n" {
					t.Errorf("a second time: %+v", o)
				}
			}
		})
	}
}

// TestClaims: what a living run claims is refused, and the rest is done.
func TestClaims(t *testing.T) {
	claims := map[int]string{ // index: document, and whether it is alive
		0: `alive {"ttl": "30s", "run_id": "x", "released": false}`, 1: `dead {"ttl": "30s", "released": true}`,
		2: `dead {"ttl": "1ms"}`, 3: `alive {"ttl": 30, "term": 2}`, 4: `alive {"ttl": `, 5: `alive {}`, 6: `dead {"released": true}`, 7: `dead {"ttl": 30}`,
	}
	for name, tt := range map[string]struct {
		config repair.Config
		code   int
		said   string
	}{
		"refused": {repair.Config{Indexes: "0-8"}, 1, "1,2,6-8"},
		"forced":  {repair.Config{Indexes: "0-8", Force: true}, 0, "0-8"},
		"all":     {repair.Config{All: true, Yes: true}, 1, "1,2,6-8"},
		"dry":     {repair.Config{Indexes: "0-8", DryRun: true}, 1, "1,2,6-8"},
	} {
		for _, command := range []string{"reset", "mark"} {
			t.Run(command+" "+name, func(t *testing.T) {
				dir := t.TempDir()
				for index, doc := range claims {
					_, doc, _ = strings.Cut(doc, " ")
					path := filepath.Join(dir, "claim", fmt.Sprintf("%d.json", index))
					fill(t, dir, fmt.Sprintf("claim/%d.json", index))
					if err := os.WriteFile(path, []byte(doc), 0o666); err != nil {
						t.Fatal(err)
					}
					if index == 7 || index == 2 {
						if err := os.Chtimes(path, time.Time{}, time.Now().Add(-32*time.Second)); err != nil {
							t.Fatal(err)
						}
					}
				}
				if command == "reset" {
					for i := range 9 {
						fill(t, dir, fmt.Sprintf("done/%d.json", i))
					}
				}
				before := files(t, dir)
				tt.config.Markers = "file://" + dir
				var o outcome
				if command == "reset" {
					o = run(t, tt.config)
				} else {
					completions := int64(9)
					tt.config.Completions = &completions
					o = run(t, repair.MarkConfig{Config: tt.config, Reason: "because"})
				}
				if o.code != tt.code || o.err != nil {
					t.Fatalf("code %d, %v", o.code, o.err)
				}
				if line, _, _ := strings.Cut(o.stdout, "\n"); !strings.HasSuffix(line, ": "+tt.said) {
					t.Errorf("stdout: %s", o.stdout)
				}
				if alive := strings.Contains(o.stderr, "4 indexes are refused, for a living run claims it: 0,3-5"); alive != (tt.code == 1) {
					t.Errorf("stderr: %s", o.stderr)
				}
				left := files(t, dir)
				if tt.config.DryRun {
					if diff := cmp.Diff(before, left); diff != "" {
						t.Error(diff)
					}
					return
				}
				for index := range claims {
					if !slices.Contains(left, fmt.Sprintf("claim/%d.json", index)) {
						t.Errorf("the claim of %d is gone", index)
					}
				}
				if slices.ContainsFunc(left, func(key string) bool { return strings.HasPrefix(key, "repair-") }) {
					t.Errorf("a probe is left: %v", left)
				}
				changed := strings.Count(strings.Join(left, " "), "done/") != 9
				if changed != (command == "reset" || tt.code == 1) {
					t.Errorf("what is left: %v", left)
				}
			})
		}
	}
}
