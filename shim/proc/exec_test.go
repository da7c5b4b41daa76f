package proc_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"nth/testdata/harness"
)

func hasMarker(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "done", "0.json"))
	return err == nil
}

// file makes one in a new folder.
func file(t *testing.T, mode os.FileMode, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// foreign is a program for another machine.
func foreign(t *testing.T) string {
	t.Helper()
	arch := "arm64"
	if runtime.GOARCH == arch {
		arch = "amd64"
	}
	path := filepath.Join(t.TempDir(), "foreign")
	build := exec.Command("go", "build", "-o", path, "./testdata/cmd/actor")
	build.Dir = harness.Root()
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func TestStart(t *testing.T) {
	inPath := filepath.Dir(file(t, 0o755, "#!/bin/sh\nexit 9\n"))
	for _, tt := range []struct {
		name  string
		words []string
		code  int
		says  string // on stderr
	}{
		{"script without #!", []string{"--", file(t, 0o755, "echo $1; exit 5\n"), "word"}, 5, ""},
		{"empty file", []string{"--", file(t, 0o755, "")}, 0, ""},
		{"binary rubbish", []string{"--", file(t, 0o755, "a\x00b")}, 126, "no program and no script"},
		{"missing interpreter", []string{"--", file(t, 0o755, "#!/missing/sh -x\n")}, 127, "/missing/sh"},
		{"carriage return", []string{"--", file(t, 0o755, "#!/bin/sh\r\nexit 0\r\n")}, 127, "carriage return"},
		{"another machine", []string{"--", foreign(t)}, 126, "is built for"},
		{"directory", []string{"--", t.TempDir()}, 126, "directory"},
		{"not executable", []string{"--", file(t, 0o644, "#!/bin/sh\n")}, 126, "permission denied"},
		{"missing path", []string{"--", "/missing/program"}, 127, "no such file"},
		{"under a file", []string{"--", "/etc/passwd/program"}, 127, "not a directory"},
		{"missing word", []string{"--", "missing-program"}, 127, "not found in PATH"},
		{"PATH of --env", []string{"--env", "PATH=" + inPath, "--", "program"}, 9, ""},
		{"PATH of --env has it not", []string{"--env", "PATH=/missing", "--", "sh"}, 127, "/missing"},
		{"one word too long", []string{"--env", "W=x", "--", "sh", "-c", ":", "<<file `" + file(t, 0o644, strings.Repeat("x", 130<<10)) + "`>>"}, 126, "limited to 131072"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, words := range [][]string{tt.words, many(3, 2, append([]string{"--keep-going"}, tt.words...)...)} {
				p := start(t, false, words...)
				p.ends(tt.code)
				if got := p.read("stderr"); !strings.Contains(got, tt.says) {
					t.Errorf("%q: stderr lacks %q:\n%s", words, tt.says, got)
				}
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	for code := range 256 {
		cmd := exec.Command(binary(t), "run", "--log-format", "none", "--", "sh", "-c", fmt.Sprint("exit ", code))
		cmd.Env = []string{"NTH_INDEX=0", "PATH=" + os.Getenv("PATH")}
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("exit code %d, want %d", got, code)
		}
	}
}

func TestKilledCommand(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		for _, sig := range []int{1, 2, 3, 6, 9, 11, 15, 64} {
			start(t, pid1, "--", "sh", "-c", fmt.Sprintf("ulimit -c 0; kill -%d $$", sig)).ends(128 + sig)
		}
	})
}

// TestManyFastRuns: in a loop over wait4, the end of a command that is faster than
// its starter must not be missed, nor when an orphan ends at the same time.
func TestManyFastRuns(t *testing.T) {
	for range 150 {
		start(t, false, "--", "true").ends(0)
		start(t, false, "--", "sh", "-c", "sh -c 'true & exit' & true & exit 3").ends(3)
	}
	for range 30 {
		start(t, true, "--", "sh", "-c", "sh -c 'true & exit' & true & exit 3").ends(3)
	}
}
