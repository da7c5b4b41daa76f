package plan

import (
	"io"
	"testing"
)

// TestCost: what a plan allocates for an index, of which there may be a million.
func TestCost(t *testing.T) {
	w := world(t)
	for format, most := range map[string]float64{"text": 28, "json": 28} {
		of := func(n int64) float64 {
			return testing.AllocsPerRun(3, func() {
				if _, err := Write(planOf(n, format, "process_file", "/data/file_<<.Index>>.txt"), w, io.Discard); err != nil {
					t.Fatal(err)
				}
			})
		}
		if each := (of(2000) - of(1000)) / 1000; each > most {
			t.Errorf("%s: %.1f allocations an index, want at most %.0f", format, each, most)
		}
	}
}
