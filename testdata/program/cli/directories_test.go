//go:build linux

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nth/testdata/harness"
)

// TestDirectoryOfMarkers: where the markers' directory can't be made, what is said is true of
// the directory that is at fault, and what is advised would help; nth local says it once, and
// never that it is made.
func TestDirectoryOfMarkers(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	const other = 65534 // root may write everywhere
	dir := t.TempDir()
	for part := dir; part != filepath.Dir(os.TempDir()) && part != os.TempDir(); part = filepath.Dir(part) {
		must(t, os.Chmod(part, 0o755))
	}
	must(t, os.Mkdir(dir+"/closed", 0o755))
	must(t, os.Mkdir(dir+"/hidden", 0o700))
	must(t, os.Mkdir(dir+"/open", 0o755))
	must(t, os.Chown(dir+"/open", other, other))
	must(t, os.WriteFile(dir+"/open/file", nil, 0o644))
	must(t, os.Symlink("nowhere", dir+"/open/link"))
	link := "the link DIR/open/link leads to nowhere, which does not exist (is the volume mounted that it leads to? nth makes no directory behind a link)"
	for _, tt := range []struct {
		at, run, local string // what they say; local "": the same
		code           int
	}{
		{"closed/m", "mkdir DIR/closed/m: permission denied (let this user make directories in DIR/closed)", "", 77},
		{"closed/a/b?create_dir=true", "mkdir DIR/closed/a: permission denied (let this user make directories in DIR/closed)", "", 77},
		{"closed/a/b", "the directory DIR/closed/a does not exist (is the volume mounted? this user may make nothing in DIR/closed)", "", 69},
		{"hidden/a/b", "DIR/hidden/a: permission denied (let this user read and write the directory)", "DIR/hidden/a/b/done/0.json: permission denied (let this user read", 77},
		{"open/a/b", "the directory DIR/open/a does not exist (is the volume mounted? create_dir=true in the URL", "the directory DIR/open/a does not exist (to have it made: --markers", 69},
		{"open/a/b/c", "the directory DIR/open/a/b does not exist, only DIR/open of its path does (is the", "the directory DIR/open/a/b does not exist, only DIR/open of its path does (to have", 69},
		{"open/link", link, "", 69},
		{"open/link/m", link, "", 69},
		{"open/link/m?create_dir=true", link, "", 69},
		{"open/file/a/b", "DIR/open/file is a file, where a directory should be", "", 69},
		{"open/file", "DIR/open/file is a file, where a directory should be", "", 69},
	} {
		for command, says := range map[string]string{"run": tt.run, "local": tt.local} {
			cmd := exec.Command(nth, command, "--store-wait=0s", "--markers", "file://"+dir+"/"+tt.at, "--", "true", "<<.Index>>")
			cmd.Env = append(os.Environ(), "NTH_LOG_FORMAT=console", "NTH_INDEX=0")
			if command == "local" {
				cmd.Env[len(cmd.Env)-1] = "NTH_COMPLETIONS=2"
			}
			if says == "" {
				says = tt.run
			}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
			cmd.Dir = "/"
			out, _ := cmd.CombinedOutput()
			said, code := string(out), cmd.ProcessState.ExitCode()
			if code != tt.code || !strings.Contains(said, strings.ReplaceAll(says, "DIR", dir)) || strings.Contains(said, "is made") {
				t.Errorf("%s at %s: exit code %d, want %d and %q:\n%s", command, tt.at, code, tt.code, says, said)
			}
			if command == "local" && strings.Count(said, "\n") != 1 {
				t.Errorf("it is told more than once:\n%s", said)
			}
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
