package main

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nth/shim/config"
	"nth/shim/flags"
	"nth/testdata/harness"
)

func released(t *testing.T) string {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	return nth
}

// starts is odd, so that there is a median.
const starts = 41

// TestStart: what happens between exec and the command. Page faults are nearly the
// same on every machine of this architecture, given the number of CPUs; a time
// wouldn't be.
func TestStart(t *testing.T) {
	if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" {
		t.Fatalf("the budget is of linux/amd64, and this is %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	nth, probe := released(t), built(t, "./testdata/bench/probe")
	markers := "--markers=file://" + t.TempDir() + "/markers"
	for name, args := range map[string][]string{"faults": nil, "faults-marker": {markers}} {
		var all []int
		for i := range starts {
			all = append(all, faults(t, nth, probe, i, args))
		}
		slices.Sort(all)
		within(t, name, all[0], all[starts/2])
	}
}

// built gives a small program of the tests'.
func built(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(program))
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, program)
	build.Dir, build.Env = harness.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// startEnv is the whole environment of a start. Go's runtime has memory for each CPU.
func startEnv(index int) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "GOMAXPROCS=2", "JOB_COMPLETION_INDEX=" + strconv.Itoa(index)}
}

// TestPeak: what memory a run has at its most, with what it has of its own file.
func TestPeak(t *testing.T) {
	nth, peak := released(t), built(t, "./testdata/size/peak")
	var all []int
	for i := range starts {
		cmd := exec.Command(peak, nth, "run", "--log-level=warn", "--", "/bin/true")
		cmd.Env, cmd.Stderr = startEnv(i), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, kib)
	}
	slices.Sort(all)
	within(t, "peak-kib", all[0], all[starts/2])
}

// faults gives nth's page faults until its command, the probe, looks.
func faults(t *testing.T, nth, probe string, index int, args []string) int {
	t.Helper()
	cmd := exec.Command(nth, slices.Concat([]string{"run", "--log-level=warn"}, args, []string{"--", probe})...)
	cmd.Env, cmd.Stderr = startEnv(index), os.Stderr
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

// inits: a few allocations more or fewer depend on how a map's random seed spreads its keys, so
// that it is the least of so many starts that counts.
const inits = 15

// TestInit: what packages do before main, and that of the stores none does anything
// but say that it is there.
func TestInit(t *testing.T) {
	all, most := math.MaxInt, math.MaxInt
	for range inits {
		one, ofStore := initAllocations(t)
		all, most = min(all, one), min(most, ofStore)
	}
	within(t, "init-allocations", all)
	within(t, "store-allocations", most)
}

// initAllocations gives those of all packages in one start, and the most of one store's. A
// package of Go's copies the environment, so that it is always the same.
func initAllocations(t *testing.T) (all, most int) {
	t.Helper()
	cmd := exec.Command(released(t), "version")
	cmd.Env = append(startEnv(0), "GODEBUG=inittrace=1")
	var trace strings.Builder
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	stores := 0
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
		all += n
		if strings.HasPrefix(f[1], "nth/shim/store/") {
			stores, most = stores+1, max(most, n)
		}
	}
	if stores < 3 { // Go leaves out those that do nothing at all
		t.Fatalf("only %d packages of stores are in the trace:\n%s", stores, &trace)
	}
	return all, most
}

// TestFlags: reading the flags is the greatest part of a start that is nth's own.
func TestFlags(t *testing.T) {
	n := testing.AllocsPerRun(10, func() {
		var c config.Config
		if _, _, err := flags.Parse(flags.Spec{Name: "nth run"}, &c, []string{"--markers=file:///m", "--", "true"}); err != nil {
			t.Fatal(err)
		}
	})
	within(t, "flag-allocations", int(n))
}
