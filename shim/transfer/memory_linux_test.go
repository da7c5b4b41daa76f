package transfer

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// TestMemory: a blob of any size needs no more memory than one byte does, and 64 MiB. It is
// measured in a process of its own, without the race detector.
func TestMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "move")
	build := exec.Command("go", "build", "-o", path, "./testdata/cmd/move")
	build.Dir = harness.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const large, limit = 1 << 30, 64 << 20
	for _, p := range places {
		if p.name == "mem" {
			continue
		}
		url := p.url(t)
		peak := func(size int64, way string) int64 {
			t.Helper()
			out, err := exec.Command(path, url, fmt.Sprint(size), way).CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v: %s", way, err, out)
			}
			n, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
			must(t, err)
			return n
		}
		small := peak(1, "upload")
		for _, way := range []string{"upload", "download", "read", "write"} {
			more := peak(large, way) - small
			t.Logf("%s %s: %d MiB more than %d", p.name, way, more>>20, small>>20)
			if more > limit {
				t.Errorf("%s, %s: %d MiB", p.name, way, more>>20)
			}
		}
	}
}
