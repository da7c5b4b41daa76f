//go:build linux

package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestRefused: what can't be compared is told before anything is run, and what stands there
// is left alone.
func TestRefused(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "data")
	s3.Put(t, "data", "full/mine", []byte("mine"))
	for _, tt := range []struct {
		name  string
		flags []string
		says  string
		code  int
	}{
		{"a directory with something in it", []string{"--chaos-compare", "full"}, "mine is there already, and would be taken for the command's (name a place that is absent or empty; nothing was moved)", 78},
		{"a file", []string{"--chaos-compare", "full/mine"}, "full/mine is there already", 78},
		{"a file URL", []string{"--chaos-compare", "file://DIR/full"}, "mine is there already", 78},
		{"a prefix with something under it", []string{"--chaos-compare", s3.URL("data", "full")}, "something is there already", 78},
		{"the second of two", []string{"--chaos-compare", "out", "--chaos-compare", "full"}, "mine is there already", 78},
		{"nothing to compare", nil, "--chaos: what the command writes isn't said, so nothing could be compared (give --chaos-compare DIR, or --output; a seed is written --chaos=7)", 78},
		{"a queue", []string{"--chaos-compare", "out", "--tasks", "redis://localhost/0?queue=q"}, "--chaos and --tasks: ", 78},
		{"logs", []string{"--chaos-compare", "out", "--logs", "file:///nowhere"}, "--chaos and --logs: ", 78},
		{"no seed", []string{"--chaos=soon", "--chaos-compare", "out"}, "--chaos=soon: a seed is a whole number", 64},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newJob(t)
			if err := os.Mkdir(filepath.Join(j.dir, "full"), 0o755); err != nil {
				t.Fatal(err)
			}
			mine := filepath.Join(j.dir, "full/mine")
			if err := os.WriteFile(mine, []byte("mine"), 0o644); err != nil {
				t.Fatal(err)
			}
			for i := range tt.flags {
				tt.flags[i] = strings.ReplaceAll(tt.flags[i], "DIR", j.dir)
			}
			report, log, code := j.chaos(7, tt.flags, "touch ran")
			if code != tt.code || report != "" || !strings.Contains(log, tt.says) {
				t.Errorf("exit %d, want %d: %s%s", code, tt.code, report, log)
			}
			program.CheckFile(t, mine, "mine")
			program.CheckFile(t, filepath.Join(s3.Dir, "data/full/mine"), "mine")
			j.nothing("ran")
		})
	}
	_, log, code := program.Nth(t, nil, "local", "--completions", "1", "--chaos-compare", "out", "--", "true")
	if want := "--chaos-compare: nothing is compared without --chaos (give --chaos)"; code != 78 || !strings.Contains(log, want) {
		t.Errorf("exit %d, want 78 and %q: %s", code, want, log)
	}
}

// nothing checks that there is no such file in the directory, and nothing in the temporary one.
func (j *job) nothing(name string) {
	j.Helper()
	if _, err := os.Lstat(filepath.Join(j.dir, name)); !os.IsNotExist(err) {
		j.Errorf("%s is there: %v", name, err)
	}
	if list, err := os.ReadDir(j.temp); err != nil || len(list) > 0 {
		j.Errorf("%v are left behind (%v)", list, err)
	}
}

// TestNoResult: a Job that fails by itself, or writes nothing, has no report.
func TestNoResult(t *testing.T) {
	for _, tt := range []struct {
		name, command, says string
		code                int
	}{
		{"it fails undisturbed", "mkdir -p out; echo x >out/<<.Index>>; exit 3", "failed indexes: 0-3", 1},
		{"a code that ends the Job", "nosuchfield <<.Nope>>", "", 64},
		{"it writes nothing there", "sleep 0.1", "the Job has written no file there (name what the command writes with --chaos-compare)", 78},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newJob(t)
			report, log, code := j.chaos(7, []string{"--chaos-compare", "out", "--backoff-limit-per-index", "0"}, tt.command)
			if code != tt.code || report != "" || !strings.Contains(log, tt.says) {
				t.Errorf("exit %d, want %d: %s%s", code, tt.code, report, log)
			}
			j.nothing("out")
		})
	}
}

// TestOwnMarkers: the user's markers are neither believed nor written.
func TestOwnMarkers(t *testing.T) {
	j := newJob(t)
	markers := t.TempDir()
	flags := []string{"--markers", "file://" + markers, "--chaos-compare", "out"}
	report, log, code := j.chaos(7, flags, "mkdir -p out; sleep 0.1; echo <<.Index>> >out/<<.Index>>")
	if code != 0 || !strings.Contains(report, "same result") {
		t.Errorf("exit %d: %s%s", code, report, log)
	}
	if list, err := os.ReadDir(markers); err != nil || len(list) > 0 {
		t.Errorf("%v are there (%v)", list, err)
	}
}

// TestStopped: a Job that is stopped while it is disturbed ends, whatever stands still then,
// and leaves the place as it was.
func TestStopped(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"undisturbed", "disturbed"} {
		for seed := range 4 {
			j := newJob(t)
			if err := os.Mkdir(filepath.Join(j.dir, "out"), 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(nth, "local", "--completions", "4", "--parallelism", "4", "--chaos="+strconv.Itoa(seed), "--chaos-compare", j.dir+"/out", "--",
				"sh", "-ec", "cd '"+j.dir+"'; echo run >>runs-<<.Index>>; echo <<.Index>> >out/<<.Index>>; sleep 0.5")
			cmd.Env = append(os.Environ(), "TMPDIR="+j.temp)
			var report, log program.Buffer
			cmd.Stdout, cmd.Stderr = &report, &log
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := map[string]int{"undisturbed": 1, "disturbed": 3 + seed}[when]
			harness.Await(t, func() bool {
				body, _ := os.ReadFile(filepath.Join(j.dir, "runs-0"))
				return strings.Count(string(body), "\n") >= lines
			}, log.String)
			_ = cmd.Process.Signal(syscall.SIGINT)
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 130 || report.String() != "" {
				t.Errorf("%s, seed %d: exit %d, want 130: %s%s", when, seed, code, report.String(), log.String())
			}
			if list, err := os.ReadDir(filepath.Join(j.dir, "out")); err != nil || len(list) > 0 {
				t.Errorf("%s: %v are left (%v)", when, list, err)
			}
			j.nothing("none")
		}
	}
}
