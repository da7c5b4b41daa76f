package kubernetes

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// nth is the released binary.
var nth string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "nth-kubernetes-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		nth = filepath.Join(dir, "nth")
		build := exec.Command("../../.ci/build", nth)
		build.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n%s", build, err, out)
			return 1
		}
		return m.Run()
	}())
}

// run runs a program with just this environment.
func run(t *testing.T, env []string, words ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// manifest gives what nth manifest prints.
func manifest(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := run(t, nil, append([]string{nth, "manifest"}, args...)...)
	if code != 0 || stdout == "" {
		t.Fatalf("nth manifest %q: exit code %d: %s", args, code, stderr)
	}
	return stdout
}
