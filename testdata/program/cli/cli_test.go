package cli

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"nth/shim/identity"
	"nth/templates"
	"nth/testdata/harness"
	"nth/testdata/program"
)

// TestScripts runs what a user would type, with the released binary.
func TestScripts(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join(harness.Root(), "testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(nth)+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("NTH_TERMINATION_LOG", filepath.Join(e.WorkDir, "termination-log"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "refused": refused},
	})
}

// exits runs a program and compares its exit code: exits 66 nth --require x -- true.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// refused says that the program before it did nothing but tell why, in one line: refused REGEXP.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: refused REGEXP")
	}
	stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	if stdout != "" || strings.Count(stderr, "\n") != 1 || !regexp.MustCompile(args[0]).MatchString(stderr) {
		ts.Fatalf("not one line with %q: stdout %q, stderr %q", args[0], stdout, stderr)
	}
}

// TestUnread: who has seen enough, as head has, is told nothing more.
func TestUnread(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	markers := "--markers=file://" + t.TempDir()
	if out, err := exec.Command(nth, "run", "--index=0", "--completions=1", markers, "--", "true").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, args := range [][]string{{"status", markers}, {"status", markers, "--index=0"}, {"status", markers, "--format=json"}, {"check", markers},
		{"help"}, {"plan", "--completions=2", "--", "echo", "<<.Index>>"}, {"run", "--help"}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		var stderr strings.Builder
		cmd := exec.Command(nth, args...)
		cmd.Stdout, cmd.Stderr = w, &stderr
		err = cmd.Run()
		w.Close()
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if code := cmd.ProcessState.ExitCode(); code != 141 && status.Signal() != syscall.SIGPIPE || stderr.Len() > 0 {
			t.Errorf("%v: %v, and %q on stderr", args, err, stderr.String())
		}
	}
}

// TestPlatforms is each row of the table, from the variable to the command.
func TestPlatforms(t *testing.T) {
	for _, p := range identity.Platforms {
		t.Run(p.Name, func(t *testing.T) {
			number := strconv.FormatInt(3+p.Base, 10)
			env := []string{p.Variable + "=" + number}
			if p.NamedBy != "" {
				env = append(env, p.NamedBy+"="+p.Variable)
			}
			want := "3 " + number + " " + p.Name + " 3 "
			if p.Count != "" {
				env = append(env, p.Count+"=9")
				want += "9"
			} else {
				want += "none"
			}
			stdout, stderr, code := program.Nth(t, env, "run", "--", "sh", "-c",
				`echo <<.Index>> <<.RawIndex>> <<.Platform>> $JOB_COMPLETION_INDEX ${NTH_ITEM_COMPLETIONS-none}`)
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			if diff := cmp.Diff(want+"\n", stdout); diff != "" {
				t.Error(diff)
			}
			first, _, _ := strings.Cut(stderr, "\n")
			var line struct {
				Index              int64
				Platform, Variable string
			}
			if err := json.Unmarshal([]byte(first), &line); err != nil || line.Index != 3 || line.Platform != p.Name || line.Variable != p.Variable {
				t.Errorf("the first line is %s (%v): it should tell the index and %s", first, err, p.Variable)
			}
			for _, bad := range append([]string{"", "x"}, p.NotArray...) {
				if _, stderr, code := program.Nth(t, []string{p.Variable + "=" + bad}, "run", "--", "true"); code != 78 || !strings.Contains(stderr, p.Variable) {
					t.Errorf("%s=%q: exit code %d, want 78: %s", p.Variable, bad, code, stderr)
				}
			}
		})
	}
}

// TestTemplateFunctions is each function's example from the reference, in a run.
func TestTemplateFunctions(t *testing.T) {
	zone := t.TempDir() + "/zone"
	if err := os.WriteFile(zone, []byte("a-1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	env := []string{"REGION=eu", "TOKEN=s3cr3t"}
	for _, f := range templates.Functions {
		t.Run(f.Name, func(t *testing.T) {
			example := strings.ReplaceAll(f.Example, "/etc/zone", zone)
			stdout, stderr, code := program.Nth(t, env, "run", "--index", "5", "--", "printf", "%s", example)
			if f.Name == "volatile" { // its example is a run's own name
				if code != 0 || len(stdout) < 20 {
					t.Errorf("exit code %d, %q", code, stdout)
				}
				return
			}
			if code != 0 || stdout != f.Result {
				t.Errorf("exit code %d, %q, want %q: %s", code, stdout, f.Result, stderr)
			}
			if strings.Contains(stderr, "s3cr3t") {
				t.Errorf("a secret is in the log: %s", stderr)
			}
		})
	}
}

// TestQuitURL: a sidecar is told once, however the run ends, and one that isn't
// there changes nothing.
func TestQuitURL(t *testing.T) {
	var calls atomic.Int64
	sidecar := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/quit/5" {
			calls.Add(1)
		}
	}))
	defer sidecar.Close()
	want := int64(0)
	for _, tt := range []struct {
		args []string
		code int
	}{
		{[]string{"--", "true"}, 0},
		{[]string{"--", "sh", "-c", "exit 3"}, 3},
		{[]string{"--require", "/no/such/file", "--", "true"}, 66},
		{[]string{"--done-if", "file:///bin/sh", "--", "false"}, 0},
	} {
		_, stderr, code := program.Nth(t, []string{"NTH_INDEX=5"}, append([]string{"run", "--quit-url", sidecar.URL + "/quit/<<.Index>>"}, tt.args...)...)
		want++
		if code != tt.code || calls.Load() != want {
			t.Errorf("%v: exit code %d, want %d; %d calls, want %d: %s", tt.args, code, tt.code, calls.Load(), want, stderr)
		}
	}
	if _, stderr, code := program.Nth(t, []string{"NTH_INDEX=5"}, "run", "--quit-url", "http://127.0.0.1:1/quit", "--", "true"); code != 0 || !strings.Contains(stderr, "--quit-url") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
