package proc

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"nth/shim/proc/tree"
)

// TestEndedBetweenLooks: whenever one ends of those that a command has left, for each is looked at
// several times, it isn't there any more for who asks kill(2), and its child is known.
func TestEndedBetweenLooks(t *testing.T) {
	const rounds = 300
	if !becomeSubreaper() {
		t.Fatal("no orphan would come to this process")
	}
	k := newKin()
	k.orphans = tree.NewOrphans()
	look := func() []int { return k.below(func(int64) bool { return true }, nil, true, func([]int, string) {}) }
	for range rounds {
		cmd := exec.Command("sh", "-c", `sleep 600 >&2 & echo $!; exec sleep 600 >&2`)
		cmd.Env, cmd.SysProcAttr = append(k.mark(nil), "PATH="+os.Getenv("PATH")), &syscall.SysProcAttr{Setpgid: true}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pid, child := cmd.Process.Pid, 0
		if _, err := fmt.Fscan(out, &child); err != nil {
			t.Fatal(err)
		}
		k.owner[pid] = k.n // for it isn't the first thread's child, as orphans are
		go func() {
			time.Sleep(rand.N(200 * time.Microsecond))
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}()
		left := look()
		for slices.Contains(left, pid) {
			left = look()
		}
		if isThere(pid) {
			t.Error("one that has ended is there yet")
		}
		if !slices.Contains(left, child) {
			t.Error("what it has left itself isn't known")
		}
		_ = syscall.Kill(child, syscall.SIGKILL)
		for len(look()) > 0 {
		}
		_ = cmd.Wait() // with an error: it is gone
		if t.Failed() {
			return
		}
	}
}
