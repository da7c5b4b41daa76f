//go:build linux && (amd64 || arm64)

package launch

import (
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// suspendedVar is set in the environment of the test's own process that gets many a Ctrl-Z.
const suspendedVar = "NTH_TEST_LAUNCH_SUSPENDED"

// TestSuspendedBegin: a Ctrl-Z that comes to nth's group while a program begins doesn't stop what
// isn't a program yet, which nobody could continue.
func TestSuspendedBegin(t *testing.T) {
	if os.Getenv(suspendedVar) != "" {
		begins(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestSuspendedBegin$", "-test.count=1")
	cmd.Env = append(os.Environ(), suspendedVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it gets the signals, and nobody else
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// It has a minute for what takes a second. One that hangs in clone(2) ends with its child.
	late := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// begins starts programs while SIGTSTP comes without an end.
func begins(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTSTP)
	end := make(chan struct{})
	defer close(end)
	go func() {
		for {
			select {
			case <-end:
				return
			default:
				_ = syscall.Kill(0, syscall.SIGTSTP)
			}
		}
	}()
	path := program(t, "true")
	children := []*Child{New(true, false), New(true, true)}
	for i := range 600 {
		c := children[i%len(children)]
		pid, ok := c.Start(path, []string{"true"}, nil, []uintptr{0, 1, 2})
		if !ok {
			t.Fatal("not started")
		}
		if status := reap(t, pid); status.ExitStatus() != 0 || c.Failed() != 0 {
			t.Fatalf("true ended with %v, error number %d", status, c.Failed())
		}
	}
}
