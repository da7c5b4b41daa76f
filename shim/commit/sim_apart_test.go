package commit

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// raced is how many worlds the race detector sees. It takes four times the time, and memory
// that grows with each world; what the others are for, the rules, it has no part in.
const raced = 1000

// apart runs a test of the simulation once more without the race detector, if it is here,
// with as many worlds as were asked for. It tells whether it did.
func apart(t *testing.T) bool {
	t.Helper()
	if !racing || *seed != 0 {
		return false
	}
	test := filepath.Join(t.TempDir(), "test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", test, ".").CombinedOutput(); err != nil {
		t.Fatalf("build without the race detector: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), test, "-test.run", "^"+t.Name()+"$", "-test.v", "-seeds", fmt.Sprint(*seeds)).CombinedOutput()
	t.Logf("without the race detector:\n%s", out)
	if err != nil {
		t.Error(err)
	}
	return true
}
