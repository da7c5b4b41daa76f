//go:build linux

package faults

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nth/testdata/harness"
	"nth/testdata/hung"
)

// endsWithin is how long a run may take that must end by itself.
const endsWithin = 2 * time.Minute

// bounded runs nth, and is an error of the test's if it doesn't end.
func bounded(t *testing.T, change func(*exec.Cmd), args ...string) (stderr string, code int) {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), endsWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, nth, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if change != nil {
		change(cmd)
	}
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("it doesn't end:\n%s", &errs)
	}
	return errs.String(), cmd.ProcessState.ExitCode()
}

var hurried = []string{"--index", "0", "--completions", "1", "--store-wait", "1s", "--store-timeout", "200ms", "--log-format", "json"}

const since = "the file system has not answered since 2"

// TestHung: whatever file nth itself looks at before the command, it gives up when the file
// system doesn't answer.
func TestHung(t *testing.T) {
	fs := hung.Mount(t)
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"markers", []string{"--markers", "file://" + fs.Dir + "/m", "--", "true"}, 69, since},
		{"a required blob", []string{"--require", "file://" + fs.Dir + "/blobs/x", "--", "true"}, 69, since},
		{"a required directory of blobs", []string{"--require", "file://" + fs.Dir + "/below/", "--", "true"}, 69, since},
		{"a required path", []string{"--require", fs.Dir + "/path", "--", "true"}, 69, since},
		{"rows", []string{"--tasks", "file://" + fs.Dir + "/rows.csv", "--", "true"}, 69, since},
		{"a file in a template", []string{"--", "echo", `<<file "` + fs.Dir + `/text">>`}, 69, since},
		{"the termination log", []string{"--termination-log", fs.Dir + "/log", "--", "false"}, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stderr, code := bounded(t, nil, append(append([]string{"run"}, hurried...), tt.args...)...)
			if code != tt.code || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, tt.code, tt.says, stderr)
			}
		})
	}
}

// TestHungLater: a store that hangs while the command runs keeps no signal from it, and not
// nth from its end.
func TestHungLater(t *testing.T) {
	fs := hung.Mount(t)
	dir := t.TempDir()
	errs, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	go func() {
		harness.Await(t, func() bool {
			body, err := os.ReadFile(dir + "/log")
			return err == nil && strings.Contains(string(body), since)
		}, func() string { return "no log is given up" })
		body, _ := os.ReadFile(dir + "/nth")
		if pid, err := strconv.Atoi(strings.TrimSpace(string(body))); err == nil {
			_ = unix.Kill(pid, unix.SIGTERM)
		}
	}()
	_, code := bounded(t, func(c *exec.Cmd) { c.Stderr = errs }, append(append([]string{"run"}, hurried...), "--logs", "file://"+fs.Dir+"/logs", "--",
		"sh", "-c", `echo $PPID > `+dir+`/nth; trap 'touch `+dir+`/told; exit 3' TERM; while :; do echo line; sleep 0.1; done`)...)
	if _, err := os.Stat(dir + "/told"); code != 3 || err != nil {
		body, _ := os.ReadFile(dir + "/log")
		t.Errorf("exit code %d, %v:\n%s", code, err, body)
	}
}
