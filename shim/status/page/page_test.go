package page

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParts: the files are all there, in the release as well, where they are packed.
func TestParts(t *testing.T) {
	file := func(name string) string {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	want := Parts{HTML: file("page.html"), Style: file("page.css")}
	for _, name := range []string{"data", "filter", "grid", "failures", "charts", "main"} {
		want.Script += file(name + ".js")
	}
	if diff := cmp.Diff(want, Read()); diff != "" {
		t.Error(diff)
	}
}
