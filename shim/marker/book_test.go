package marker

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nth/shim/failure"
	"nth/shim/store"
)

func newBook(t *testing.T, onChange string) (*Book, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	once := store.Policy{PerCall: time.Minute, Window: time.Minute, Sleep: func(context.Context, time.Duration) error { return nil }}
	return &Book{Store: s, OnChange: onChange, Wait: once, Write: once, Told: once}, dir
}

func markerOf(run, digest string) Marker {
	return Marker{Header: Header{Version: 1, Index: 5, RunID: run, Digest: digest, Command: []string{"work", digest}}, Source: SourceRun, Outcome: Done}
}

func write(t *testing.T, path string, doc any) {
	t.Helper()
	body, ok := doc.(string)
	if !ok {
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		body = string(b)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFinish(t *testing.T) {
	for _, tt := range []struct {
		name     string
		onChange string
		there    any // written by somebody between our look and our write
		want     Settled
		code     failure.Code
		kept     string // run_id of the marker at the end
	}{
		{"nobody else", OnChangeFail, nil, Written, 0, "mine"},
		{"our own, its reply lost", OnChangeFail, markerOf("mine", "d"), Recovered, 0, "mine"},
		{"another run of the same", OnChangeFail, markerOf("other", "d"), Theirs, 0, "other"},
		{"another command: fail", OnChangeFail, markerOf("other", "x"), Written, failure.BadIndex, "other"},
		{"another command: skip", OnChangeSkip, markerOf("other", "x"), Theirs, 0, "other"},
		{"another command: rerun", OnChangeRerun, markerOf("other", "x"), Written, 0, "mine"},
		{"a broken one", OnChangeFail, `{"version": 1, "ind`, Written, failure.BadIndex, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, dir := newBook(t, tt.onChange)
			path := filepath.Join(dir, "done", "5.json")
			if tt.there != nil {
				write(t, path, tt.there)
			}
			got, _, err := b.Finish(t.Context(), markerOf("mine", "d"), nil)
			if tt.code != 0 {
				if err == nil || failure.From(err).Code != tt.code {
					t.Fatalf("%v, want code %d", err, tt.code)
				}
			} else if err != nil || got != tt.want {
				t.Fatalf("%v %v, want %v", got, err, tt.want)
			}
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if tt.kept == "" {
				if string(body) != tt.there {
					t.Errorf("a broken marker was overwritten: %s", body)
				}
				return
			}
			m, err := Decode(body, 5)
			if err != nil || m.RunID != tt.kept {
				t.Errorf("the marker is %v, %v; want that of %s", m, err, tt.kept)
			}
		})
	}
}

// TestRerun: the version that was read is replaced, and no other.
func TestRerun(t *testing.T) {
	b, dir := newBook(t, OnChangeRerun)
	path := filepath.Join(dir, "done", "5.json")
	write(t, path, markerOf("old", "x"))
	e, err := b.Look(t.Context(), Header{Index: 5})
	if err != nil || e == nil || e.Agrees("d") || !e.CanReplace() {
		t.Fatalf("%+v %v", e, err)
	}
	if how, _, err := b.Finish(t.Context(), markerOf("mine", "d"), e); err != nil || how != Written {
		t.Fatalf("%v %v", how, err)
	}
	// The same version again: it is gone, and what is there is a third command's.
	write(t, path, markerOf("third", "y"))
	if _, _, err := b.Finish(t.Context(), markerOf("late", "d"), e); err == nil || failure.From(err).Code != failure.BadIndex {
		t.Errorf("%v, want code 65", err)
	}
	if e, err := b.Look(t.Context(), Header{Index: 5}); err != nil || e.RunID != "third" {
		t.Errorf("%+v %v", e, err)
	}
}

func TestLook(t *testing.T) {
	b, dir := newBook(t, OnChangeFail)
	if e, err := b.Look(t.Context(), Header{Index: 5}); e != nil || err != nil {
		t.Errorf("%v %v, want nothing", e, err)
	}
	path := filepath.Join(dir, "done", "5.json")
	for name, body := range map[string]string{
		"empty":                    "",
		"cut short":                `{"version": 1, "index": 5, "run_id": "x", "outcome": "do`,
		"no JSON":                  "done\n",
		"an empty document":        "{}",
		"null":                     "null",
		"a list":                   "[]",
		"another index":            `{"version": 1, "index": 6, "run_id": "x", "outcome": "done"}`,
		"no index":                 `{"version": 1, "run_id": "x", "outcome": "done"}`,
		"no outcome":               `{"version": 1, "index": 5, "run_id": "x"}`,
		"failed":                   `{"version": 1, "index": 5, "run_id": "x", "outcome": "failed"}`,
		"two documents":            `{"version": 1, "index": 5, "run_id": "x", "outcome": "done"}{}`,
		"the rest of a longer one": `{"version": 1, "index": 5, "run_id": "x", "outcome": "done"}tcome": "done"}`,
		"no run":                   `{"version": 1, "index": 5, "outcome": "done"}`,
		"a text as index":          `{"version": 1, "index": "5", "run_id": "x", "outcome": "done"}`,
	} {
		write(t, path, body)
		if e, err := b.Look(t.Context(), Header{Index: 5}); e != nil || err == nil || failure.From(err).Code != failure.BadIndex {
			t.Errorf("%s: %v %v, want code 65", name, e, err)
		}
	}
	write(t, path, `{"version": 3, "index": 5, "run_id": "x", "outcome": "skipped", "later": {"a": [1]}}`)
	if e, err := b.Look(t.Context(), Header{Index: 5}); err != nil || e.Outcome != Skipped {
		t.Errorf("%v %v", e, err)
	}
}

// TestLookTask: a task's marker speaks of that task, and of no index.
func TestLookTask(t *testing.T) {
	b, dir := newBook(t, OnChangeFail)
	key := strings.Repeat("a", taskDigits)
	of := Header{Task: &Task{Key: key, ID: "7", Source: "redis", Queue: "q"}}
	if e, err := b.Look(t.Context(), of); e != nil || err != nil {
		t.Errorf("%v %v, want nothing", e, err)
	}
	for name, body := range map[string]string{
		"another task":  `{"version": 1, "index": 0, "run_id": "x", "outcome": "done", "task": {"id": "8"}}`,
		"no ID":         `{"version": 1, "index": 0, "run_id": "x", "outcome": "done", "task": {}}`,
		"the index too": `{"version": 1, "index": 0, "run_id": "x", "outcome": "done"}`,
	} {
		write(t, filepath.Join(dir, "done", "tasks", key+".json"), body)
		if e, err := b.Look(t.Context(), of); e != nil || err == nil || failure.From(err).Code != failure.BadIndex {
			t.Errorf("%s: %v %v, want code 65", name, e, err)
		}
	}
	write(t, filepath.Join(dir, "done", "tasks", key+".json"), `{"version": 1, "index": 3, "run_id": "x", "outcome": "done", "task": {"id": "7"}}`)
	if e, err := b.Look(t.Context(), of); err != nil || e == nil || e.Outcome != Done {
		t.Errorf("by another worker: %v %v", e, err)
	}
}

func TestAgrees(t *testing.T) {
	for _, tt := range []struct {
		digest, source string
		want           bool
	}{{"d", SourceRun, true}, {"x", SourceRun, false}, {"", SourceRun, false}, {"", SourceMark, true}, {"x", SourceMark, false}} {
		e := Entry{Marker: Marker{Header: Header{Digest: tt.digest}, Source: tt.source}}
		if got := e.Agrees("d"); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestFailuresAreCounted(t *testing.T) {
	b, dir := newBook(t, OnChangeFail)
	path := filepath.Join(dir, "failed", "5.json")
	count := func() int {
		t.Helper()
		if err := b.WriteFailure(t.Context(), Failure{Header: Header{Index: 5}, Message: "m"}); err != nil {
			t.Fatal(err)
		}
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var f Failure
		if err := json.Unmarshal(body, &f); err != nil {
			t.Fatal(err)
		}
		return f.Failures
	}
	got := []int{count(), count()}
	write(t, path, "broken")
	got = append(got, count(), count())
	write(t, path, `{"failures": 7, "message": 5}`) // a later nth's
	got = append(got, count())
	if diff := cmp.Diff([]int{1, 2, 1, 2, 8}, got); diff != "" {
		t.Error(diff)
	}
	// The platform knows of attempts that were killed outright, and may forget (a Job that
	// was suspended).
	for _, attempt := range []struct{ number, want int }{{12, 12}, {2, 13}} {
		if err := b.WriteFailure(t.Context(), Failure{Header: Header{Index: 5, Attempt: attempt.number}}); err != nil {
			t.Fatal(err)
		}
		var f Failure
		if body, err := os.ReadFile(path); err != nil || json.Unmarshal(body, &f) != nil || f.Failures != attempt.want {
			t.Errorf("at attempt %d: %d failures, want %d (%v)", attempt.number, f.Failures, attempt.want, err)
		}
	}
}

// TestWriteDead: what the last attempt left is kept; where it left nothing, or an earlier
// one did, it is told that it was put aside.
func TestWriteDead(t *testing.T) {
	failed := func(attempt int, message string) Failure {
		return Failure{Header: Header{Task: &Task{Key: "abc", ID: "x", Attempt: attempt}}, Message: message, Stderr: message}
	}
	for _, tt := range []struct {
		name   string
		before []Failure
		want   Failure
	}{
		{"nothing is recorded", nil, Failure{Dead: true, Failures: 1, Message: "put aside"}},
		{"the last attempt", []Failure{failed(2, "two"), failed(3, "three")}, Failure{Dead: true, Failures: 2, Message: "three", Stderr: "three"}},
		{"an earlier attempt", []Failure{failed(2, "two")}, Failure{Dead: true, Failures: 2, Message: "put aside"}},
	} {
		b, dir := newBook(t, OnChangeFail)
		for _, f := range tt.before {
			if err := b.WriteFailure(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		dead := failed(3, "put aside")
		dead.Stderr = ""
		if err := b.WriteDead(t.Context(), dead); err != nil {
			t.Fatal(err)
		}
		body, err := os.ReadFile(filepath.Join(dir, b.key(failedDir, dead.Header)))
		var got Failure
		if err == nil {
			err = json.Unmarshal(body, &got)
		}
		if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Failure{}, "Header")); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

func TestDigest(t *testing.T) {
	contents := []Content{
		{}, {Command: []string{""}}, {Command: []string{"", ""}}, {Command: []string{"ab"}}, {Command: []string{"a", "b"}}, {Command: []string{"a"}, Env: []string{"b"}},
		{Env: []string{"b"}}, {URLs: []string{"b"}}, {Task: []string{"b"}}, {Extra: []string{"b"}}, {Command: []string{"b"}},
	}
	seen := map[string]int{}
	for i, c := range contents {
		d := c.Digest()
		if j, twice := seen[d]; twice {
			t.Errorf("%+v and %+v have the same digest", c, contents[j])
		}
		seen[d] = i
	}
	// Markers outlive versions of nth: this value may never change.
	const golden = "v1:sha256:e4948d7b3ca5c6700618d5742d90041980f2262a2ce92470f19367c3f1ee13fd"
	if got := (Content{Command: []string{"echo", "item 3"}, Env: []string{"A=1"}, Extra: []string{"x"}}).Digest(); got != golden {
		t.Errorf("the digest is %s, was %s", got, golden)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version": 1, "index": 5, "run_id": "x", "outcome": "done"}`))
	f.Add([]byte(`{"version": 1, "index": 5, "run_id": "x", "outcome": "skipped", "started": "2026-01-02T03:04:05.123456789Z"}`))
	f.Add([]byte(``))
	f.Add([]byte(`{"index": 5}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Decode(body, 5)
		if err != nil {
			return
		}
		if m.Index != 5 || m.RunID == "" || m.Version < 1 || (m.Outcome != Done && m.Outcome != Skipped) || !json.Valid(body) {
			t.Errorf("%q was taken for %+v", body, m)
		}
		again, err := encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := Decode(again, 5); err != nil || n.RunID != m.RunID {
			t.Errorf("%s: %v", again, err)
		}
	})
}

// TestDoneIsNotSkipped: the entry as skipped goes when the marker that stands says done.
func TestDoneIsNotSkipped(t *testing.T) {
	skipped := markerOf("other", "x")
	skipped.Outcome = Skipped
	mine := markerOf("mine", "d")
	mine.Outcome = Skipped
	for _, tt := range []struct {
		name     string
		there, m Marker
		entry    bool
	}{
		{"done over skipped", skipped, markerOf("mine", "d"), false},
		{"skipped over done", markerOf("other", "x"), mine, true},
		{"skipped, and another was done first", markerOf("other", "d"), mine, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, dir := newBook(t, OnChangeRerun)
			write(t, filepath.Join(dir, "done", "5.json"), tt.there)
			if err := b.WriteSkipped(t.Context(), mine); err != nil {
				t.Fatal(err)
			}
			if _, _, err := b.Finish(t.Context(), tt.m, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, "skipped", "5.json")); (err == nil) != tt.entry {
				t.Errorf("the entry: %v", err)
			}
		})
	}
}
