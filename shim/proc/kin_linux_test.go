package proc

import (
	"math/rand/v2"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"nth/shim/proc/tree"
)

// TestEndedBetweenLooks: when nothing is left of a command, none of its processes is there any
// more for who asks kill(2), whenever they end: each is looked at twice.
func TestEndedBetweenLooks(t *testing.T) {
	const rounds = 300
	k := newKin()
	k.orphans = tree.NewOrphans()
	for range rounds {
		cmd := exec.Command("sleep", "600")
		cmd.Env, cmd.SysProcAttr = k.mark(nil), &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pid := cmd.Process.Pid
		k.owner[pid] = k.n // for it isn't the first thread's child, as orphans are
		go func() {
			time.Sleep(rand.N(200 * time.Microsecond))
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}()
		look := func() []int { return k.below(func(int64) bool { return true }, nil, true, nil) }
		for len(look()) > 0 {
		}
		if isThere(pid) {
			t.Fatal("one that has ended is there yet")
		}
		_ = cmd.Wait() // with an error: it is gone
	}
}
