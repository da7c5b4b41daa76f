package proc_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPeak: what is recorded as a command's peak of memory is its own, and nothing of
// nth's, which is several times that of /bin/true.
func TestPeak(t *testing.T) {
	for name, flags := range oneAndMany {
		for _, tt := range []struct {
			command  []string
			from, to int64
		}{
			{[]string{"true"}, 100 << 10, 6 << 20},
			{[]string{actorPath(t), "eat", "64"}, 64 << 20, 90 << 20},
		} {
			t.Run(name+" "+tt.command[0], func(t *testing.T) {
				dir := t.TempDir()
				words := append(slices.Clone(flags), "--logs", "file://"+dir, "--markers", "file://"+dir, "--")
				start(t, false, append(words, tt.command...)...).ends(0)
				body, err := os.ReadFile(filepath.Join(dir, "done", "0.json"))
				var m struct {
					Peak int64 `json:"max_rss_bytes"`
				}
				if err == nil {
					err = json.Unmarshal(body, &m)
				}
				if err != nil || m.Peak < tt.from || m.Peak > tt.to {
					t.Errorf("%v: %d bytes, want %d to %d", err, m.Peak, tt.from, tt.to)
				}
			})
		}
	}
}
