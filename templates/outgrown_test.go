package templates

import (
	"errors"
	"strings"
	"testing"
)

// TestOutgrown: of an index beyond the number of completions that was said nothing is
// calculated from that number, by no way to it, and it is this index alone that fails.
func TestOutgrown(t *testing.T) {
	five := int64(5)
	f := Fields{Index: 7, Outgrown: &five}
	for _, word := range []string{"<<.Completions>>", "<<mod .Index .Completions>>", "<<.Completions | default 5>>", "<<default 5 .Completions>>", "<<if .Completions>>x<<end>>",
		`<<required "how many" .Completions>>`, "<<with .Completions>>x<<end>>"} {
		_, err := expand(word, f)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != BadForItem || !strings.Contains(e.Error(), "index 7") || !strings.Contains(e.Error(), "was 5") {
			t.Errorf("%s: %v", word, err)
		}
	}
	if got, err := expand("<<.Index>>", f); err != nil || got.Text != "7" {
		t.Errorf("%q, %v", got.Text, err)
	}
}
