package repair_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/marker"
	"nth/shim/repair"
)

func TestMark(t *testing.T) {
	for _, tt := range []struct {
		name    string
		config  repair.Config
		skipped bool
		added   []string
		said    string
		code    int
	}{
		{name: "some", config: repair.Config{Indexes: "1-3,10,12"}, said: "marked 3 indexes as done: 2,3,12\nleft alone, for 2 indexes are done already: 1,10\n",
			added: []string{"done/12.json", "done/2.json", "done/3.json"}},
		{name: "skipped", config: repair.Config{Indexes: "1-2"}, skipped: true, said: "marked 1 index as skipped: 2\nleft alone, for 1 index is done already: 1\n",
			added: []string{"done/2.json", "skipped/2.json"}},
		{name: "failed", config: repair.Config{Failed: true}, said: "marked 3 indexes as done: 2,11,40\n", added: []string{"done/11.json", "done/2.json", "done/40.json"}},
		{name: "missing", config: repair.Config{Missing: true, Completions: &ten}, said: "marked 7 indexes as done: 3-9\n",
			added: []string{"done/3.json", "done/4.json", "done/5.json", "done/6.json", "done/7.json", "done/8.json", "done/9.json"}},
		{name: "all", config: repair.Config{All: true, Yes: true, Completions: &four}, said: "marked 2 indexes as done: 2,3\n", added: []string{"done/2.json", "done/3.json"}},
		{name: "a dry run", config: repair.Config{All: true, DryRun: true, Completions: &ten}, said: "would mark 8 indexes as done: 2-9\n"},
		{name: "nothing", config: repair.Config{Missing: true, Completions: new(int64(1))}, said: "nothing to mark\n"},
		{name: "nobody knows how many", config: repair.Config{Missing: true}, code: 64},
		{name: "all of how many", config: repair.Config{All: true, Yes: true}, code: 64},
		{name: "nobody to ask", config: repair.Config{All: true, Completions: &ten}, code: 64},
		{name: "none", code: 64},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a")
			fill(t, dir, job...)
			want := append(files(t, dir), tt.added...)
			tt.config.Markers = "file://" + dir
			o := run(t, repair.MarkConfig{Config: tt.config, Skipped: tt.skipped, Reason: "it is empty"})
			if o.code != tt.code || o.err == nil && tt.code > 1 {
				t.Fatalf("code %d, %v", o.code, o.err)
			}
			if diff := cmp.Diff(tt.said, o.stdout); diff != "" {
				t.Errorf("stdout: %s", diff)
			}
			if diff := cmp.Diff(sorted(want), files(t, dir)); diff != "" {
				t.Errorf("what is there: %s", diff)
			}
			for _, key := range tt.added {
				marked(t, dir, key, tt.skipped)
			}
			if body, err := os.ReadFile(filepath.Join(dir, "done/1.json")); err != nil || string(body) != "{}" {
				t.Errorf("a marker that was there is %q, %v", body, err)
			}
		})
	}
	if o := run(t, repair.MarkConfig{Config: repair.Config{Store: config.Store{Markers: "file://" + t.TempDir()}, Indexes: "3"}, Reason: " "}); o.code != 64 {
		t.Errorf("without a reason: %+v", o)
	}
}

// marked looks at one of the new markers.
func marked(t *testing.T, dir, key string, skipped bool) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, key))
	if err != nil {
		t.Fatal(err)
	}
	_, item, _ := marker.ParseKey(key)
	m, err := marker.Decode(body, item.Index)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	want := map[string]any{"source": "mark", "outcome": "done", "marked_by": "alice@laptop", "reason": "it is empty", "digest": ""}
	if skipped {
		want["outcome"] = "skipped"
	}
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for name := range want {
		got[name] = doc[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", key, diff)
	}
	if e := (marker.Entry{Marker: *m}); !e.Agrees("v1:sha256:whatever") {
		t.Errorf("%s doesn't vouch for its item", key)
	}
}

// TestAsk: --all asks on a terminal, with what there is, and takes only a yes for one.
func TestAsk(t *testing.T) {
	for answer, goes := range map[string]bool{"y\n": true, "Yes\n": true, "n\n": false, "\n": false, "yy\n": false, "\x04": false} {
		t.Run(fmt.Sprintf("%x", answer), func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, job...)
			w, told := world(t)
			keyboard, terminal, err := pty.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer keyboard.Close()
			defer terminal.Close()
			w.Stdin = terminal
			if _, err := keyboard.WriteString(answer); err != nil {
				t.Fatal(err)
			}
			code, err := repair.Reset(repair.ResetConfig{OlderThan: 24 * time.Hour, Config: repair.Config{Store: config.Store{Markers: "file://" + dir, StoreTimeout: 1 << 40}, All: true, Progress: "never"}}, nil, w)
			o := told()
			if goes != (err == nil && code == 0) {
				t.Errorf("code %d, %v", code, err)
			}
			question := "Delete 4 markers, 5 failure records, 1 entry as skipped, 1 commit of outputs, 3 records of starts and 2 shards' checkpoints under file://" + dir + "/? [y/N] "
			if diff := cmp.Diff(question, o.stderr); diff != "" {
				t.Error(diff)
			}
			if there := len(files(t, dir)); goes != (there == 7) {
				t.Errorf("%d files are left", there)
			}
		})
	}
}
