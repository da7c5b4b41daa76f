package local

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFullDisk is nth local > a full disk: the index whose output is lost isn't done,
// though its command ended well, and nothing more is started.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var errs strings.Builder
	temp := t.TempDir()
	cmd := exec.Command(os.Args[0], "whole", "1000", "1", "deaf")
	cmd.Stdout, cmd.Stderr, cmd.Env = full, &errs, append(os.Environ(), "TMPDIR="+temp)
	_ = cmd.Run()
	if d := cmp.Diff(69, cmd.ProcessState.ExitCode()); d != "" {
		t.Error(d)
	}
	for _, want := range []string{
		"0 of 1000 succeeded, ", "stopped, for its output can't be written: write /dev/stdout: no space left on device",
		"its output is cut off: no space left on device",
	} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("no %q in %s", want, errs.String())
		}
	}
	checkEmpty(t, temp)
}
