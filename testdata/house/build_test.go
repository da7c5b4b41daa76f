package house

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// hot are the packages that do something for each item, by the thousand in a second:
// they are compiled with inlining.
var hot = []string{"shim/item", "shim/marker", "shim/proc", "shim/secrets", "shim/shard", "shim/source", "shim/status", "shim/store/file", "shim/worker", "templates"}

// TestSlow: what the build compiles without inlining are packages that there are, for go
// says nothing of a name that is none, and not what each item passes through.
func TestSlow(t *testing.T) {
	body, err := os.ReadFile(filepath.Join(harness.Root(), ".ci", "build"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(body), "\nslow=\"")
	list, _, ok := strings.Cut(list, "\"")
	if !ok || len(strings.Fields(list)) == 0 {
		t.Fatal(".ci/build has no list slow")
	}
	for _, dir := range strings.Fields(list) {
		if sources, _ := filepath.Glob(filepath.Join(harness.Root(), dir, "*.go")); len(sources) == 0 {
			t.Errorf(".ci/build names %s, which is no package", dir)
		}
		if slices.Contains(hot, dir) {
			t.Errorf(".ci/build has %s compiled without inlining: each item passes through it", dir)
		}
	}
}

// TestSorts: slices.SortFunc and the like are compiled once for each type, 8 to 20 kB
// a time with their tables; sort.Slice is one for all.
func TestSorts(t *testing.T) {
	files(t, func(path string, body []byte) {
		for _, name := range []string{"slices.SortFunc(", "slices.SortStableFunc(", "slices.SortedFunc(", "slices.SortedStableFunc("} {
			if strings.Contains(string(body), name) {
				t.Errorf("%s calls %s): sort.Slice and sort.SliceStable don't grow with the types", path, name)
			}
		}
	})
}
