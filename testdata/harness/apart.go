package harness

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Raced is how many worlds of a simulation the race detector sees. It takes four times the
// time, and memory that grows with each world; what the others are for, the rules, it has no
// part in.
const Raced = 1000

// Apart runs a test once more without the race detector, if it is here, with these flags. It
// tells whether it did.
func Apart(t *testing.T, flags ...string) bool {
	t.Helper()
	if !racing {
		return false
	}
	test := filepath.Join(t.TempDir(), "test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", test, ".").CombinedOutput(); err != nil {
		t.Fatalf("build without the race detector: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), test, append([]string{"-test.run", "^" + t.Name() + "$", "-test.v"}, flags...)...).CombinedOutput()
	t.Logf("without the race detector:\n%s", out)
	if err != nil {
		t.Error(err)
	}
	return true
}
