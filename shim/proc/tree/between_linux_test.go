package tree

import (
	"os/exec"
	"slices"
	"testing"
)

// TestVariablesInExec: a process that begins one program after the other has its environment at
// every look, also at one in the middle of execve(2).
func TestVariablesInExec(t *testing.T) {
	cmd := exec.Command("sh", "-c", `exec sh -c "$0" "$0"`, `exec sh -c "$0" "$0"`)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "TREE=here"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	const looks = 20_000
	for range looks {
		if got := Variables(cmd.Process.Pid, "TREE"); !slices.Equal(got, []string{"here"}) {
			t.Fatalf("%q", got)
		}
	}
}
