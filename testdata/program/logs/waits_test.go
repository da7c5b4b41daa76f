//go:build linux

package logs

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nth/testdata/harness"
)

// waiting is what a thread of a process does.
type waiting struct {
	switches string // of its own accord, so far
	call     string // the system call in which it is, and its arguments
	timed    bool   // and which ends by itself, or it is in none
}

// threads gives what those of a process do (proc_pid_syscall(5)).
func threads(t *testing.T, pid int) map[string]waiting {
	t.Helper()
	all := map[string]waiting{}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("no thread: %v", err)
	}
	for _, task := range tasks {
		call, _ := os.ReadFile(task + "/syscall")
		status, _ := os.ReadFile(task + "/status")
		_, switches, _ := strings.Cut(string(status), "\nvoluntary_ctxt_switches:")
		switches, _, _ = strings.Cut(switches, "\n")
		all[filepath.Base(task)] = waiting{switches, string(call), isTimed(t, pid, strings.Fields(string(call)))}
	}
	return all
}

// isTimed tells whether a thread's call ends by itself within a century. It may be a number
// of the kernel's, or "running".
func isTimed(t *testing.T, pid int, call []string) bool {
	t.Helper()
	if len(call) < 7 {
		return true
	}
	number, err := strconv.Atoi(call[0])
	if err != nil {
		return true
	}
	arg := func(n int) uint64 {
		v, err := strconv.ParseUint(call[1+n], 0, 64)
		if err != nil {
			t.Fatalf("%q: %v", call, err)
		}
		return v
	}
	switch number {
	case unix.SYS_FUTEX:
		return arg(3) != 0 && seconds(pid, int64(arg(3))) < 100*365*24*3600
	case unix.SYS_EPOLL_PWAIT:
		return int32(arg(3)) >= 0
	case unix.SYS_WAITID, unix.SYS_WAIT4, unix.SYS_READ:
		return false
	}
	return true
}

// seconds reads those of a timespec in a process.
func seconds(pid int, at int64) int64 {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return 0
	}
	defer memory.Close()
	var word [8]byte
	if _, err := memory.ReadAt(word[:], at); err != nil {
		return 0
	}
	return int64(binary.NativeEndian.Uint64(word[:]))
}

// TestWaits: while a command works and writes nothing, nothing of nth ever wakes by itself,
// not even its runtime: no thread waits for a time, so that none need be waited for here.
func TestWaits(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, flags := range map[string][]string{
		"plain":           nil,
		"markers":         {"--markers=file://" + dir + "/plain"},
		"start recorded":  {"--markers=file://" + dir + "/started", "--record-start"},
		"output is kept":  {"--logs=file://" + dir + "/logs"},
		"its end is kept": {"--stderr-tail=4096"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ready := t.TempDir() + "/ready"
			cmd := exec.Command(nth, append(append([]string{"run"}, flags...), "--", "sh", "-c", `echo line >&2; : >"$0"; exec sleep 3600`, ready)...)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "NTH_INDEX=0"}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}()
			exists := func() bool { _, err := os.Stat(ready); return err == nil }
			harness.Await(t, exists, func() string { return "the command never ran" })
			var last map[string]waiting
			harness.Await(t, func() bool {
				last = threads(t, cmd.Process.Pid)
				time.Sleep(100 * time.Millisecond)
				for id, now := range threads(t, cmd.Process.Pid) {
					if now.timed || now != last[id] {
						return false
					}
				}
				return true
			}, func() string { return fmt.Sprintf("a thread wakes by itself: %v", last) })
		})
	}
}
