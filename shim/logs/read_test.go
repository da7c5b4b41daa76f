package logs

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/store"
)

func openStore(t *testing.T) (*store.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dir
}

// TestKeys: each part has a key of its own that tells which it is, and sorted by
// name they are in order.
func TestKeys(t *testing.T) {
	var keys []string
	for _, n := range []int{1, 2, 9, 10, 99, 100, 12345, 99999} {
		key := Key("7/run", n)
		keys = append(keys, key)
		if name, part, ok := parseKey(key); !ok || name != "7/run" || part != n {
			t.Errorf("%s is taken for part %d of %q, %v", key, part, name, ok)
		}
	}
	if !slices.IsSorted(keys) {
		t.Errorf("not in order: %q", keys)
	}
	if diff := cmp.Diff([]string{"7/run.log", "7/run.log.00002"}, keys[:2]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("tasks/ab/abcd/run-3.log", Key(Task("abcd", "run", 3, true), 1)); diff != "" {
		t.Error(diff)
	}
}

func FuzzParseKey(f *testing.F) {
	for _, key := range []string{"7/run.log", "7/run.log.00002", "7/run.log.2", "7/run.log.00001", ".log", "x.log.log.00003", "7/run.log.-0002", "x"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if name, part, ok := parseKey(key); ok && (Key(name, part) != key || name == "") {
			t.Errorf("%q is taken for part %d of %q", key, part, name)
		}
	})
}

func TestAttempts(t *testing.T) {
	s, dir := openStore(t)
	put := func(key, body string, age time.Duration) {
		t.Helper()
		if err := s.Put(t.Context(), key, []byte(body)); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(filepath.Join(dir, key), at, at); err != nil {
			t.Fatal(err)
		}
	}
	put("7/b.log", "one ", time.Hour)
	put("7/b.log.00002", "two ", 50*time.Minute)
	put("7/b.log.00010", "ten", 30*time.Minute)
	put("7/a.log", "later\n", time.Minute) // whatever its name says
	put("7/c.log", "", 2*time.Hour)
	put("7/notes.txt", "a person's", time.Minute)
	put("7/deep/x.log", "not an attempt's", time.Minute)
	put("70/x.log", "another index's", time.Minute)
	put("done/7.json", "{}", time.Minute)
	list, err := Attempts(t.Context(), s, 7)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		RunID, Text string
		Size        int64
	}
	var got []row
	for _, a := range list {
		var b bytes.Buffer
		if err := a.Copy(t.Context(), s, time.Minute, &b); err != nil {
			t.Error(err)
		}
		got = append(got, row{a.RunID, b.String(), a.Size})
	}
	if diff := cmp.Diff([]row{{"c", "", 0}, {"b", "one two ten", 11}, {"a", "later\n", 6}}, got); diff != "" {
		t.Error(diff)
	}
	if none, err := Attempts(t.Context(), s, 8); err != nil || len(none) > 0 {
		t.Errorf("%v, %v", none, err)
	}

	broken := errors.New("nobody reads")
	if err := list[1].Copy(t.Context(), s, time.Minute, writerFunc(func([]byte) (int, error) { return 0, broken })); err != broken {
		t.Errorf("%v, want the writer's own error", err)
	}
	if err := os.Remove(filepath.Join(dir, "7/b.log.00010")); err != nil {
		t.Fatal(err)
	}
	if err := list[1].Copy(t.Context(), s, time.Minute, io.Discard); err == nil || failure.From(err).Code != failure.Unavailable {
		t.Errorf("a part is gone: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
