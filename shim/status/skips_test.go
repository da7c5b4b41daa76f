package status

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSkippedThenDone: what was settled as bad and done since is done: by the marker,
// which is read where it may be of another run than the entry.
func TestSkippedThenDone(t *testing.T) {
	dir := t.TempDir()
	s := open(t, "file://"+dir)
	doc := func(outcome string) string { return fmt.Sprintf(`{"outcome": %q}`, outcome) }
	task := func(n string) string { return "tasks/" + strings.Repeat(n, keyLen) + ".json" }
	hourAgo := time.Now().Add(-time.Hour)
	for _, d := range []struct {
		name, marker string
		entry        time.Time
	}{
		{"0.json", doc("done"), hourAgo},
		{"1.json", doc("skipped"), hourAgo},                // dates say nothing after a copy
		{"2.json", doc("skipped"), time.Now()},             // as it is
		{"3.json", doc("done"), time.Now().Add(time.Hour)}, // a duplicate's entry, later than the marker
		{"4.json", "no JSON", hourAgo},                     // nobody knows
		{task("a"), doc("done"), hourAgo},
		{task("b"), doc("skipped"), hourAgo},
		{task("c"), doc("skipped"), time.Now()},
	} {
		put(t, s, "done/"+d.name, d.marker)
		put(t, s, "skipped/"+d.name, doc("skipped"))
		if err := os.Chtimes(filepath.Join(dir, "skipped", d.name), d.entry, d.entry); err != nil {
			t.Fatal(err)
		}
	}
	snap := scanOf(t, s, "0-5")
	if diff := cmp.Diff("dssds.", string(letters(snap.States))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&Tasks{Done: 1, Skipped: 2}, snap.Tasks); diff != "" {
		t.Error(diff)
	}
	if one, err := LookAt(t.Context(), Options{Store: s, Policy: once}, 0); err != nil || one.State != "done" {
		t.Errorf("%+v, %v", one, err)
	}
}
