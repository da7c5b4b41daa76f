package status

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/store"
)

var once = store.Policy{PerCall: time.Minute}

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// put writes a blob; a file without syncing it, of which there are many here.
func put(t testing.TB, s *store.Store, key, body string) {
	t.Helper()
	if path, ok := strings.CutPrefix(s.Show(key), "file://"); ok {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := s.Put(context.Background(), key, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

// indexes are those of a list; none for an empty one.
func indexes(t testing.TB, list string) identity.List {
	t.Helper()
	l, err := identity.ParseList(list)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func scanOf(t testing.TB, s *store.Store, list string) *Snapshot {
	t.Helper()
	snap, err := Scan(t.Context(), s, indexes(t, list), once, nil)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// TestScan is each state, on a store with pages and on one without.
func TestScan(t *testing.T) {
	dir := t.TempDir()
	for _, url := range []string{"mem://", "file://" + dir} {
		s := open(t, url)
		put(t, s, "failed/5.json", "")
		if old := time.Now().Add(-time.Hour); url != "mem://" {
			if err := os.Chtimes(filepath.Join(dir, "failed", "5.json"), old, old); err != nil {
				t.Fatal(err)
			}
		}
		for _, key := range []string{
			"done/0.json", "done/10.json", "failed/10.json", "started/10.json", // done beats failed
			"done/2.json", "skipped/2.json",
			"skipped/3.json", // and no marker: its writer was killed between the two
			"failed/4.json",
			"started/5.json", // again
			"started/6.json", "progress/7/r.json", "progress/7/q.json",
			"done/11.json", "done/99.json", "failed/99.json", // others
			"done/x.json", "done/01.json", "done/-1.json", "done/+1.json", "done/1.txt", "done/1.json.bak", "done/1/x.json", "failed/1", "other/1.json",
			"done/18446744073709551617.json", "commit/1.json",
		} {
			put(t, s, key, "")
		}
		got := scanOf(t, s, "0-10")
		if diff := cmp.Diff("d.s.fbbb..d", string(letters(got.States))); diff != "" {
			t.Errorf("%s: %s", url, diff)
		}
		for at, date := range got.Settled {
			if settled := strings.ContainsRune("ds", rune(got.States[at])); settled != (date > 1e9) {
				t.Errorf("%s: position %d is dated %d", url, at, date)
			}
		}
		if diff := cmp.Diff([]int64{11, 99}, got.Others); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]int64{7}, got.Shards); diff != "" {
			t.Error(diff)
		}
		if len(got.Failures) != 3 || got.Failures[10].IsZero() {
			t.Errorf("%v", got.Failures)
		}
		if diff := cmp.Diff("fdd", string(letters(scanOf(t, s, "2,4,10-11").States[1:]))); diff != "" {
			t.Errorf("a part of them: %s", diff)
		}
	}
}

func letters(states []State) (b []byte) {
	for _, s := range states {
		b = append(b, byte(s))
	}
	return b
}

// TestScanShares: a listing of many pages is shared out, and each key is seen once.
func TestScanShares(t *testing.T) {
	s := open(t, "mem://")
	const n = 12_345
	for i := range n {
		if i%7 != 0 {
			put(t, s, "done/"+strconv.Itoa(i)+".json", "")
		}
		if i%100 == 7 {
			put(t, s, "failed/"+strconv.Itoa(i)+".json", "")
		}
	}
	want := Tasks{}
	for i := range 3000 {
		key := fmt.Sprintf("tasks/%02x%062x.json", i%256, i)
		put(t, s, "done/"+key, "")
		want.Done++
		if i%10 == 0 {
			put(t, s, "skipped/"+key, "")
			want.Done--
			want.Skipped++
		}
		if i%10 == 1 {
			put(t, s, "failed/"+key, "") // and done since
		}
	}
	put(t, s, fmt.Sprintf("failed/tasks/%064x.json", 1<<40), "")
	put(t, s, "done/tasks/short.json", "")
	want.Failed = 1
	seen := map[string]int{}
	l := newLister(t.Context(), s, once)
	c := scan{}
	l.list("done/", listing{follows: digits, delimiter: "/", visit: c.each(func(e entry) { seen[e.key]++ })})
	if err := l.wait(); err != nil {
		t.Fatal(err)
	}
	if delete(seen, "done/tasks/"); len(seen) != n-n/7-1 {
		t.Errorf("%d keys, want %d", len(seen), n-n/7-1)
	}
	for key, times := range seen {
		if times != 1 {
			t.Errorf("%s was seen %d times", key, times)
		}
	}
	if pages := l.requests.Load(); pages < 12 || pages > 60 {
		t.Errorf("%d requests for 11 pages", pages)
	}
	got := scanOf(t, s, "0-12344")
	for i, state := range got.States {
		expect := Done
		if i%7 == 0 {
			expect = Missing
			if i%100 == 7 {
				expect = Failed
			}
		}
		if state != expect {
			t.Fatalf("index %d is %c, want %c", i, state, expect)
		}
	}
	if diff := cmp.Diff(&want, got.Tasks); diff != "" {
		t.Error(diff)
	}
}

// TestClaims: only a claim that is younger than its own TTL, of what isn't settled,
// is somebody who works.
func TestClaims(t *testing.T) {
	dir := t.TempDir()
	s := open(t, "file://"+dir)
	for i, doc := range []string{
		0: `{"term": 1, "ttl": "1m0s"}`, 1: `{"ttl": 60}`, 2: `{"ttl": "1m", "released": true}`, 3: `{"ttl": "1m"}`,
		4: `{`, 5: `{}`, 6: `{"ttl": "soon"}`, 7: `{"ttl": "1m"}`, 8: `{"ttl": "1m"}`,
	} {
		put(t, s, fmt.Sprintf("claim/%d.json", i), doc)
	}
	old := time.Now().Add(-2 * time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "claim", "3.json"), old, old); err != nil {
		t.Fatal(err)
	}
	put(t, s, "failed/7.json", "")
	put(t, s, "done/8.json", "")
	got := scanOf(t, s, "0-9")
	if diff := cmp.Diff("rrbbbbbrd.", string(letters(got.States))); diff != "" {
		t.Error(diff)
	}
	if got := scanOf(t, lone(t, old), "0"); got.States[0] != Started {
		t.Errorf("an old claim with nothing newer is %c", got.States[0])
	}
	// A store whose clock is ahead of this machine's.
	ahead := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "done", "8.json"), ahead, ahead); err != nil {
		t.Fatal(err)
	}
	if got := scanOf(t, s, "0-9"); got.States[0] != Started {
		t.Errorf("a claim that is an hour older than the latest date is %c", got.States[0])
	}
}

// lone is a store with nothing but a claim of that date.
func lone(t *testing.T, date time.Time) *store.Store {
	t.Helper()
	dir := t.TempDir()
	s := open(t, "file://"+dir)
	put(t, s, "claim/0.json", `{"ttl": "1m"}`)
	if err := os.Chtimes(filepath.Join(dir, "claim", "0.json"), date, date); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestScanFails: a place that isn't there has no indexes, not even missing ones.
func TestScanFails(t *testing.T) {
	s := open(t, "file://"+t.TempDir()+"/not/mounted")
	if _, err := Scan(t.Context(), s, identity.Whole(3), once, nil); err == nil || failure.From(err).Code != failure.Unavailable {
		t.Errorf("%v, want code 69", err)
	}
	stop := &failure.Failure{Code: 130, Tried: "look", Cause: errors.New("stopped")}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if _, err := Scan(ctx, open(t, "file://"+t.TempDir()), identity.Whole(3), once, nil); !errors.Is(err, stop) {
		t.Errorf("%v, want the cause", err)
	}
}

func TestCompletions(t *testing.T) {
	for _, tt := range []struct {
		name, key, doc string
		want           int64
		code           failure.Code
	}{
		{"a marker", "done/3.json", `{"completions": 10, "platform": "kubernetes"}`, 10, 0},
		{"a failure", "failed/3.json", `{"completions": 11, "platform": "index"}`, 11, 0},
		{"a start", "started/3.json", `{"completions": 12}`, 12, 0},
		{"nothing", "x", ``, 0, failure.Usage},
		{"not told", "done/3.json", `{"completions": null}`, 0, failure.Usage},
		{"broken", "done/3.json", `{`, 0, failure.Usage},
		{"too many", "done/3.json", `{"completions": 1000000000000}`, 0, failure.Usage},
		{"numbers of the user's", "done/3.json", `{"completions": 10, "platform": "slurm"}`, 0, failure.Usage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, "mem://")
			put(t, s, tt.key, tt.doc)
			got, err := told(t.Context(), newHeads(t.Context(), s, once))
			if tt.code == 0 && (err != nil || got.Len() != tt.want) {
				t.Errorf("%d, %v", got.Len(), err)
			}
			if tt.code != 0 && (err == nil || failure.From(err).Code != tt.code || !strings.Contains(err.Error(), "--completions")) {
				t.Errorf("%v, want code %d", err, tt.code)
			}
		})
	}
}

// TestOneOfThemTells: a document that doesn't say how many indexes there are stands in
// nobody's way.
func TestOneOfThemTells(t *testing.T) {
	s := open(t, "mem://")
	for i := range 100 { // more than are read at once
		put(t, s, fmt.Sprintf("done/%d.json", i), `{"completions": null, "source": "mark"}`)
	}
	put(t, s, "done/98.json", `{"completions": 0}`)
	put(t, s, "done/99.json", "no JSON")
	for key, want := range map[string]int64{"started/1.json": 300, "failed/7.json": 200, "done/97.json": 100} {
		put(t, s, key, fmt.Sprintf(`{"completions": %d}`, want))
	}
	for _, want := range []int64{100, 200, 300} {
		if got, err := told(t.Context(), newHeads(t.Context(), s, once)); err != nil || got.Len() != want {
			t.Errorf("%d, %v, want %d", got.Len(), err, want)
		}
		key := map[int64]string{100: "done/97.json", 200: "failed/7.json", 300: "started/1.json"}[want]
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := told(t.Context(), newHeads(t.Context(), s, once)); err == nil || !strings.Contains(err.Error(), "and neither does another document") {
		t.Error(err)
	}
}

// TestGrown: an index that failed beyond the number that a document tells is one of an
// elastic Job that has grown since; whether it is the last one, nobody knows.
func TestGrown(t *testing.T) {
	for _, tt := range []struct {
		name   string
		keys   []string
		len    int64
		doubts bool
	}{
		{"as it was", []string{"failed/3.json"}, 5, false},
		{"a marker beyond", []string{"done/9.json"}, 5, true},
		{"a failure beyond", []string{"failed/7.json"}, 8, true},
		{"a failure that was mended", []string{"failed/7.json", "done/5.json", "done/6.json", "done/7.json"}, 8, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, "mem://")
			put(t, s, "done/4.json", `{"completions": 5}`)
			for _, key := range tt.keys {
				put(t, s, key, `{}`)
			}
			var p parsed
			of, err := p.indexes(t.Context(), Options{Store: s, Policy: once})
			if err != nil || of.Len() != tt.len || p.said != 5 {
				t.Fatalf("%d, %v, want %d; said %d", of.Len(), err, tt.len, p.said)
			}
			snap, err := Scan(t.Context(), s, of, once, nil)
			if err != nil || p.outgrown(snap) != tt.doubts {
				t.Errorf("doubts %v, want %v, %v", p.outgrown(snap), tt.doubts, err)
			}
		})
	}
}

// TestWorkers: where a queue's tasks have records and no index has a marker, the indexes
// are workers, and those that failed are all that there is to tell of them.
func TestWorkers(t *testing.T) {
	task := "tasks/" + strings.Repeat("a", 64) + ".json"
	for _, tt := range []struct {
		name  string
		keys  []string
		want  string
		queue bool
	}{
		{"nothing", nil, "", false},
		{"no tasks", []string{"done/1.json", "failed/2.json"}, "", false},
		{"only failed indexes", []string{"failed/2.json", "started/2.json"}, "2", false},
		{"tasks", []string{"done/" + task}, "", true},
		{"failed tasks, and failed workers", []string{"failed/" + task, "failed/7.json", "failed/3.json", "started/9.json"}, "3,7", true},
		{"indexes beside tasks", []string{"done/" + task, "done/1.json"}, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, s := range map[string]*store.Store{"mem": open(t, "mem://"), "file": open(t, "file://"+t.TempDir())} {
				for _, key := range tt.keys {
					put(t, s, key, "{}")
				}
				of, queue, err := workers(newHeads(t.Context(), s, once))
				if of.String() != tt.want || queue != tt.queue || err != nil {
					t.Errorf("%s: %s, %v, %v", name, of, queue, err)
				}
			}
		})
	}
}
