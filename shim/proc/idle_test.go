package proc_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// orphanInto leaves a zombie to process 1 of a namespace that nth is the first process
// of, as a probe does that is executed in a container.
func orphanInto(t *testing.T, pid int) {
	t.Helper()
	probe := exec.Command("nsenter", "-t", strconv.Itoa(pid), "-p", "sh", "-c", "(true & true) & wait")
	if out, err := probe.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
}

// isNth tells whether a process is nth by now.
func isNth(pid int) bool {
	path, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	return err == nil && strings.HasSuffix(path, "/nth")
}

// TestIdleReaps: what comes to a process 1 that has no command doesn't stay.
func TestIdleReaps(t *testing.T) {
	input := t.TempDir() + "/input"
	for name, p := range map[string]*program{
		"before the command": prepare(t, true, "--require", input, "--require-wait", "10m", "--", "true"),
		"in nth local":       prepare(t, true),
	} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			left := 0
			if name == "in nth local" {
				left = 1 // the run that it waits for
				p.cmd.Args = append(p.cmd.Args[:4:4], binary(t), "local", "--completions", "1", "--", "sleep", "600")
				p.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
			}
			p.begin()
			eventually(t, "nth waits", func() bool { return isNth(p.pid) && len(children(p.pid)) == left })
			for range 5 {
				orphanInto(t, p.pid)
			}
			eventually(t, "the orphans are gone", func() bool { return len(children(p.pid)) == left })
		})
	}
}
