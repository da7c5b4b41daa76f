package marker_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
)

// TestChanged: of a marker of another command a person learns what it was and what it is now,
// also where a row has changed, and of a long script the part that matters.
func TestChanged(t *testing.T) {
	s, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	header := func(version string, words ...string) marker.Header {
		h := marker.Header{Index: 1, Command: words}
		if version != "" {
			h.Manifest = &marker.Manifest{URL: "s3://b/rows.csv", Version: version}
		}
		return h
	}
	const rows = "; its row was of version 1 of s3://b/rows.csv, and is of version 2"
	const items = "its items were of version 1 of s3://b/rows.csv, and are of version 2"
	part := func(h marker.Header) marker.Header {
		h.Shard = &marker.Shard{Items: 10, Start: 0, End: 5}
		return h
	}
	// What makes the work right comes first: the old result may be another item's.
	const hint = "--on-change=rerun runs the item again, --on-change=skip takes the old result for it; or use another --markers URL"
	moved := header("2", "echo", "a")
	moved.Manifest.URL = "s3://b/other.csv"
	long := strings.Repeat("x", 1000)
	for name, tt := range map[string]struct {
		was, now marker.Header
		says     string
	}{
		"a command":           {header("", "echo", "a"), header("", "echo", "b"), `was "echo a", now "echo b"`},
		"a row":               {header("1", "echo", "a"), header("2", "echo", "b"), `was "echo a", now "echo b"` + rows},
		"a row elsewhere":     {header("1", "echo", "b"), moved, `was "echo b", now "echo a"` + rows + " of s3://b/other.csv"},
		"of a row, the rest":  {header("1", "echo"), header("2", "echo"), `the same command "echo", but what else the row says, --env, --digest-extra, or a URL of --input, --output, --stdin or --stdout differs` + rows},
		"one row of the file": {header("1", "echo"), header("1", "echo"), `the same command "echo", but --env, --digest-extra, or a URL of --input, --output, --stdin or --stdout differs`},
		"rows of a part":      {part(header("1", "echo")), part(header("2", "echo")), items + `, by the same command "echo"`},
		"and its command":     {part(header("1", "echo", "a")), part(header("2", "echo", "b")), `was "echo a", now "echo b"; ` + items},
		"the same rows":       {part(header("1", "echo")), part(header("1", "echo")), `the same command "echo", but --env, --digest-extra, or a URL of --input, --output, --stdin or --stdout differs`},
		"words":               {header("", "a b"), header("", "a", "b"), `the same text in 1 words, now in 2: "a b"`},
		"the end of a script": {header("", long+"a"), header("", long+"b"), `was "…` + long[:199] + `a", now "…` + long[:199] + `b"`},
		"the middle of one":   {header("", long+"é"+long), header("", long+"b"+long), `was "…` + long[:40] + `é` + long[:158] + `…", now "…` + long[:40] + `b` + long[:159] + `…"`},
		"the begin of one":    {header("", "a"+long), header("", "b"), `was "a` + long[:199] + `…", now "b"`},
	} {
		f := (&marker.Book{Store: s}).Changed(&marker.Entry{Marker: marker.Marker{Header: tt.was}}, tt.now)
		if diff := cmp.Diff("it is of another command: "+tt.says, f.Cause.Error()); diff != "" || f.Code != failure.BadIndex || f.Hint != hint {
			t.Errorf("%s: code %d, hint %q (-want +got):\n%s", name, f.Code, f.Hint, diff)
		}
	}
}
