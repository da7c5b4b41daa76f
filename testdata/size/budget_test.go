// Package size_test holds what nth costs to the figures in the file budget.
package size_test

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"nth/testdata/harness"
)

var update = flag.Bool("update", false, "write the release's size into the budget")

func TestMain(m *testing.M) {
	code := m.Run()
	if nth, err := harness.Binary(); err == nil {
		os.RemoveAll(filepath.Dir(nth))
	}
	os.Exit(code)
}

const budgetFile = "budget"

// budget reads the figures.
func budget(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(budgetFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	figures := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && name != "#" {
			figures[name] = value
		}
	}
	return figures
}

func figure(t *testing.T, name string) int {
	t.Helper()
	n, err := strconv.Atoi(budget(t)[name])
	if err != nil {
		t.Fatalf("%s: %s: %v", budgetFile, name, err)
	}
	return n
}

// TestReleaseSize: the release is just as large as the budget says, built by the Go
// that it names.
func TestReleaseSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nth")
	cmd := exec.Command(filepath.Join(harness.Root(), ".ci", "build"), path)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOTOOLCHAIN="+budget(t)["go"],
		"VERSION=v0.0.0", "COMMIT="+strings.Repeat("0", 40))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	size, want := int(info.Size()), figure(t, "bytes")
	if limit := figure(t, "bytes-limit"); size > limit {
		t.Errorf("the release has %d bytes, and the limit is %d", size, limit)
	}
	if size == want {
		return
	}
	if !*update {
		t.Fatalf("the release has %d bytes, %+d against the budget: go test ./testdata/size -update writes it, for the commit to say why", size, size-want)
	}
	old, err := os.ReadFile(budgetFile)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(old), fmt.Sprintf("\nbytes %d\n", want), fmt.Sprintf("\nbytes %d\n", size), 1)
	if err := os.WriteFile(budgetFile, []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
}

// starts is how often nth is started to find the least that a start takes: threads
// that come at different moments add up to some tens of faults.
const starts = 30

// TestStart: what happens between exec and the command. Page faults and allocations
// are the same on every machine of this architecture; a time wouldn't be.
func TestStart(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Fatalf("the budget is of amd64, and this is %s", runtime.GOARCH)
	}
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	probe := filepath.Join(t.TempDir(), "probe")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", probe, "./testdata/bench/probe")
	build.Dir, build.Env = harness.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	markers := "--markers=file://" + t.TempDir() + "/markers"
	for name, args := range map[string][]string{"faults": nil, "faults-marker": {markers}} {
		least := 0
		for i := range starts {
			if n := faults(t, nth, probe, i, args); i == 0 || n < least {
				least = n
			}
		}
		if limit := figure(t, name); least > limit {
			t.Errorf("%s: %d, and the budget is %d", name, least, limit)
		}
		t.Logf("%s: %d", name, least)
	}
}

// faults gives nth's page faults until its command, the probe, looks.
func faults(t *testing.T, nth, probe string, index int, args []string) int {
	t.Helper()
	cmd := exec.Command(nth, append(append([]string{"run", "--log-level=warn"}, args...), "--", probe)...)
	cmd.Env = append(os.Environ(), "JOB_COMPLETION_INDEX="+strconv.Itoa(index))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	stat := string(out)
	// proc(5): after the name in parentheses, minflt is the 8th field, majflt the 10th.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	n := 0
	for _, f := range []string{fields[7], fields[9]} {
		v, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		n += v
	}
	return n
}

// TestInit: what packages do before main, and that of the stores none does anything
// but say that it is there.
func TestInit(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nth, "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace strings.Builder
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	all, packages := 0, 0
	for line := range strings.Lines(trace.String()) {
		// init NAME @T ms, T ms clock, N bytes, N allocs
		f := strings.Fields(line)
		if len(f) != 11 || f[0] != "init" {
			continue
		}
		n, err := strconv.Atoi(f[9])
		if err != nil {
			t.Fatal(err)
		}
		packages++
		all += n
		if strings.Contains(f[1], "nth/shim/store/") && n > storeAllocations {
			t.Errorf("%s does %d allocations for whoever doesn't use it", f[1], n)
		}
	}
	if packages == 0 {
		t.Fatal("no trace came")
	}
	if limit := figure(t, "init-allocations"); all > limit {
		t.Errorf("%d allocations of %d packages, and the budget is %d", all, packages, limit)
	}
	t.Logf("%d allocations of %d packages", all, packages)
}

// storeAllocations are those of a table of parameters and one of error codes.
const storeAllocations = 25
