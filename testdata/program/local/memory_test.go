//go:build linux

package local

import (
	"fmt"
	"os/exec"
	"testing"

	"nth/testdata/harness"
)

// TestMemoryOfLocal: what nth local takes doesn't grow with how many indexes there are.
func TestMemoryOfLocal(t *testing.T) {
	peak := func(indexes int) int64 {
		cmd := exec.Command(nthPath(t), "local", fmt.Sprintf("--completions=%d", indexes), "--parallelism=2", "--", "true", "<<.Index>>")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		}()
		return harness.Peak(cmd.Process.Pid, ended)
	}
	few, many := peak(1000), peak(4000)
	if few == 0 || many-few > 3<<20 || many > 25<<20 {
		t.Errorf("1,000 indexes: %d bytes, 4,000: %d", few, many)
	}
	t.Logf("1,000 indexes: %d bytes, 4,000: %d", few, many)
}
