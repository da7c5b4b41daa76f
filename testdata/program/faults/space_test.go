//go:build linux

package faults

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// The figures of docs/running.md, in kB.
const (
	space    = 1_500_000 // in which nth runs
	reserved = 1_300_000 // of which it reserves so much
)

// within runs nth in an address space of so many kB.
func within(t *testing.T, kB int, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -v "$0" && exec "$@"`, strconv.Itoa(kB), nth}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

const spaceWarning = "the address space is limited"

// TestAddressSpace: what the pages say is enough is enough, for whatever nth is asked to do.
func TestAddressSpace(t *testing.T) {
	s := servers.StartS3(t)
	s.Bucket(t, "data")
	markers := func(name string) string { return "--markers=" + s.URL("data", name) }
	for name, args := range map[string][]string{
		"a command":      {"run", "--index=0", "--", "true"},
		"a store":        {"run", "--index=0", markers("store"), "--", "true"},
		"much output":    {"run", "--index=0", markers("output"), "--logs=" + s.URL("data", "logs"), "--", "head", "-c", "200000000", "/dev/zero"},
		"items at once":  {"run", "--index=0", "--completions=1", markers("items"), "--items=400", "--each", "--jobs=8", "--", "true"},
		"a whole Job":    {"local", "--completions=8", "--parallelism=4", markers("local"), "--", "true"},
		"its status":     {"status", markers("local"), "--completions=8", "--list=unfinished"},
		"what would run": {"plan", "--completions=1000", "--", "echo", "<<.Index>>"},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := within(t, space, servers.S3Env(), args...)
			if code != 0 || strings.Contains(stderr, spaceWarning) {
				t.Errorf("exit code %d: %s", code, stderr)
			}
		})
	}
}

// TestLittleAddressSpace: with less nth may end, and says so while it can.
func TestLittleAddressSpace(t *testing.T) {
	out, stderr, code := within(t, space-100_000, nil, "run", "--index=0", "--log-format=console", "--", "echo", "ran")
	if want := fmt.Sprintf("limited to %d kB (ulimit -v, Grid Engine's h_vmem), of which nth reserves %d", space-100_000, reserved); code != 0 || out != "ran\n" || strings.Count(stderr, spaceWarning) != 1 || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, %s%s", code, out, stderr)
	}
	if _, stderr, code := program.Nth(t, nil, "run", "--index=0", "--", "true"); code != 0 || strings.Contains(stderr, spaceWarning) {
		t.Errorf("without a limit: exit code %d, %s", code, stderr)
	}
}

// TestReserved: the figure is near the truth; a new Go may change it.
func TestReserved(t *testing.T) {
	out, stderr, code := program.Nth(t, nil, "run", "--index=0", "--", "sh", "-c", "cat /proc/$PPID/status")
	if m := regexp.MustCompile(`VmPeak:\s+(\d+) kB`).FindStringSubmatch(out); code != 0 || m == nil {
		t.Errorf("exit code %d, %s%s", code, out, stderr)
	} else if kB, _ := strconv.Atoi(m[1]); kB > reserved || kB < reserved*3/4 {
		t.Errorf("nth takes %d kB of address space, and docs/running.md says %d", kB, reserved)
	}
}
