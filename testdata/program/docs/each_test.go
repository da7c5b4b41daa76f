//go:build linux

package docs

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestReadmeEach: the README's commands do every item once, and nothing the second time.
func TestReadmeEach(t *testing.T) {
	const dir = "/tmp/nth-each"
	os.RemoveAll(dir)
	t.Cleanup(func() { os.RemoveAll(dir) })
	found := 0
	for _, block := range blocks(t, "sh") {
		if !strings.Contains(block, "--each") {
			continue
		}
		found++
		for _, want := range []int{1, 0} {
			out := shell(t, block, "GOFLAGS=-buildvcs=false")
			for i := range 20 {
				if n := strings.Count(out, fmt.Sprintf("item %d of 20\n", i)); n != want {
					t.Errorf("item %d was done %d times, want %d:\n%s", i, n, want, out)
				}
			}
			for i, name := range []string{"Ann", "Bob", "Carol", "Dave, Jr.", "Eve"} {
				if n := strings.Count(out, fmt.Sprintf("row %d is %s\n", i, name)); n != want {
					t.Errorf("row %d was done %d times, want %d:\n%s", i, n, want, out)
				}
			}
		}
	}
	if found != 1 {
		t.Errorf("%d blocks have --each", found)
	}
}
