package tree

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"nth/testdata/harness"
)

const headless = "TREE_HEADLESS"

// init is a process whose first thread ends, and which lives on in another.
func init() {
	if os.Getenv(headless) == "" {
		return
	}
	runtime.LockOSThread() // this is the first thread
	go time.Sleep(time.Hour)
	for {
		_, _, _ = syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
	}
}

// TestHeadless: a process whose first thread has ended lives on in others, and who it is their
// environment says; it has ended when they have.
func TestHeadless(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{headless + "=here"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	body := func() []byte {
		body, _ := os.ReadFile(path(pid, "stat"))
		return body
	}
	harness.Await(t, func() bool { return slices.Contains([]byte{'Z', 'X'}, body()[slices.Index(body(), ')')+2]) }, func() string { return "its first thread doesn't end" })
	if p, ok := Read(pid); !ok || p.Ended {
		t.Errorf("%+v, %v", p, ok)
	}
	if got := Variables(pid, headless); !slices.Equal(got, []string{"here"}) {
		t.Errorf("%q", got)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	harness.Await(t, func() bool { p, ok := Read(pid); return ok && p.Ended }, func() string { return "it doesn't end" })
}
