//go:build linux

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/program"
)

// volume is a file system with a place where it may be mounted, which needs root.
type volume struct {
	t  *testing.T
	at string // the mount point
}

func newVolume(t *testing.T, at string) *volume {
	t.Helper()
	if err := os.MkdirAll(at, 0o777); err != nil {
		t.Fatal(err)
	}
	v := &volume{t, at}
	t.Cleanup(func() { _ = syscall.Unmount(at, syscall.MNT_DETACH) })
	return v
}

func (v *volume) mount() *volume {
	v.t.Helper()
	if err := syscall.Mount("tmpfs", v.at, "tmpfs", 0, ""); err != nil {
		v.t.Fatalf("mount a file system in memory (as root): %v", err)
	}
	return v
}

// bind mounts another directory there, of the same file system.
func (v *volume) bind() *volume {
	v.t.Helper()
	if err := syscall.Mount(v.t.TempDir(), v.at, "", syscall.MS_BIND, ""); err != nil {
		v.t.Fatalf("mount a directory (as root): %v", err)
	}
	return v
}

func (v *volume) unmount() {
	v.t.Helper()
	if err := syscall.Unmount(v.at, 0); err != nil {
		v.t.Fatal(err)
	}
}

// empty checks that nothing was made where the volume isn't mounted.
func (v *volume) empty() {
	v.t.Helper()
	if entries, err := os.ReadDir(v.at); len(entries) > 0 || err != nil {
		v.t.Errorf("without the volume there is %v, %v", entries, err)
	}
}

// TestNoVolume: a mount point without its volume is no Job of which nothing is done. What
// only looks, or repairs, refuses it, whatever the URL says of making directories.
func TestNoVolume(t *testing.T) {
	v := newVolume(t, filepath.Join(t.TempDir(), "vol")).mount()
	url := "file://" + v.at + "/runs/markers"
	for _, index := range []string{"0", "2"} {
		if _, stderr, code := program.Nth(t, nil, "run", "--index", index, "--completions", "3", "--markers", url+"?create_dir=true", "--", "true"); code != 0 {
			t.Fatal(code, stderr)
		}
	}
	commands := map[string][]string{
		"status":              {"status", "--completions", "3"},
		"status, told":        {"status"},
		"status of one":       {"status", "--index", "1"},
		"status, a list":      {"status", "--completions", "3", "--list", "missing"},
		"status, JSON":        {"status", "--completions", "3", "--format", "json"},
		"reset":               {"reset", "--indexes", "1"},
		"reset of all":        {"reset", "--all", "--dry-run"},
		"mark":                {"mark", "--indexes", "1", "--reason", "by hand", "--dry-run"},
		"manifest of missing": {"manifest", "--missing", "--job", "j", "--completions", "3", "--image", "i"},
		"manifest of failed":  {"manifest", "--failed", "--job", "j", "--completions", "3", "--image", "i"},
	}
	all := func(want func(t *testing.T, stdout, stderr string, code int)) {
		for name, words := range commands {
			for _, parameters := range []string{"", "?create_dir=true"} {
				t.Run(name+parameters, func(t *testing.T) {
					words := append(append([]string{}, words...), "--store-wait", "1s", "--markers", url+parameters)
					if words[0] == "manifest" {
						words = append(words, "--", "echo", "<<.Index>>")
					}
					stdout, stderr, code := program.Nth(t, nil, words...)
					want(t, stdout, stderr, code)
				})
			}
		}
	}
	all(func(t *testing.T, _, stderr string, code int) {
		if code > 1 || strings.Contains(stderr, "mounted") {
			t.Errorf("with the volume: exit code %d: %s", code, stderr)
		}
	})
	v.unmount()
	line := "nth: look into " + url + "/: the directory " + v.at + "/runs/markers does not exist, only " + v.at +
		" of its path does (is the volume mounted? the Job's first run makes it, and so does nth check)\n"
	all(func(t *testing.T, stdout, stderr string, code int) {
		if code != 69 || stdout != "" || stderr != line {
			t.Errorf("exit code %d: %s%s\nwant 69: %s", code, stdout, stderr, line)
		}
	})
	v.empty()
}

// TestLastDirectory: the case that the parent's existence doesn't tell. A mark is refused as
// well, and a run says that it made the directory, once.
func TestLastDirectory(t *testing.T) {
	v := newVolume(t, filepath.Join(t.TempDir(), "vol"))
	url := "file://" + v.at + "/markers"
	for _, words := range [][]string{{"status", "--completions", "3"}, {"reset", "--failed"}, {"mark", "--indexes", "1", "--reason", "by hand"}} {
		stdout, stderr, code := program.Nth(t, nil, append(words, "--markers", url)...)
		if code != 69 || stdout != "" || !strings.Contains(stderr, v.at+"/markers does not exist, only "+v.at+" of its path does (is the volume mounted?") {
			t.Errorf("%s: exit code %d: %s%s", words[0], code, stdout, stderr)
		}
	}
	v.empty()
	made := regexp.MustCompile(`"directory":"` + regexp.QuoteMeta(url) + `/".*"the directory was not there, and is made: nothing was there before".*\n.*"command starts"`)
	for i, want := range []int{1, 0} {
		_, stderr, code := program.Nth(t, nil, "run", "--index", string(rune('0'+i)), "--markers", url, "--", "true")
		if got := len(made.FindAllString(stderr, -1)); code != 0 || got != want || strings.Contains(stderr, "is made") != (want == 1) {
			t.Errorf("run %d: exit code %d, said %d times, want %d: %s", i, code, got, want, stderr)
		}
	}
	if stdout, stderr, code := program.Nth(t, nil, "status", "--markers", url, "--completions", "3", "--list", "missing"); stdout != "2\n" || code != 0 {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	for _, tt := range []struct {
		words []string
		says  string
	}{
		{[]string{"local", "--completions", "1", "--markers", url + "/local", "--", "echo", "<<.Index>>"}, "nth local: " + url + "/local/ is not there yet: it is made, and nothing counts as done\n"},
		{[]string{"check", "--markers", url + "/check"}, "made " + url + "/check, which was not there\n"},
		{[]string{"run", "--index", "2", "--markers", url, "--logs", url + "/logs", "--", "echo", "hi"}, `"directory":"` + url + `/logs/"`},
	} {
		for _, says := range []bool{true, false} {
			stdout, stderr, code := program.Nth(t, nil, tt.words...)
			if code != 0 || strings.Contains(stdout+stderr, tt.says) != says {
				t.Errorf("exit code %d, want it said: %v: %s%s", code, says, stdout, stderr)
			}
		}
	}
}

// TestWatchFromBefore: who watches may have begun before the first run made the directory.
func TestWatchFromBefore(t *testing.T) {
	url := "file://" + t.TempDir() + "/markers"
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nth, "status", "--watch", "--interval", "1s", "--store-wait", "0s", "--completions", "1", "--markers", url)
	var said program.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	harness.Await(t, func() bool { return strings.Contains(said.String(), "does not exist") || len(ended) > 0 }, said.String)
	if _, stderr, code := program.Nth(t, nil, "run", "--index", "0", "--markers", url, "--", "true"); code != 0 {
		t.Fatal(code, stderr)
	}
	if err := <-ended; err != nil {
		t.Errorf("%v: %s", err, said.String())
	}
}

// TestMountpoint: with mountpoint in the URL nothing runs, and nothing is made, unless
// something is mounted just there; and markers are the same with it and without.
func TestMountpoint(t *testing.T) {
	dir := t.TempDir()
	ran := filepath.Join(dir, "ran")
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Symlink("vol", at("link")); err != nil {
		t.Fatal(err)
	}
	escape := strings.NewReplacer("%", "%25", " ", "%20", "#", "%23", "\n", "%0A", "\t", "%09", "?", "%3F", "&", "%26").Replace
	for _, tt := range []struct {
		name, mount, point string // of the directory
		below              string // where the markers are, below that
		bind               bool
		code               int
	}{
		{"its parent", "vol", "vol", "markers", false, 0},
		{"itself", "vol", "vol", "", false, 0},
		{"a directory of the same file system", "vol", "vol", "markers", true, 0},
		{"a link", "vol", "link", "markers", true, 0},
		{"a name", "a vol\\040#\n\t%?&", "a vol\\040#\n\t%?&", "markers", false, 0},
		{"nothing", "", "vol", "markers", false, 69},
		{"nothing, itself", "", "vol", "", false, 69},
		{"only above", "vol", "vol/sub", "markers", false, 69},
		{"only below", "vol/markers", "vol", "markers", true, 69},
		{"a name that begins alike", "volume", "vol", "markers", true, 69},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := newVolume(t, at(tt.point))
			url := "file://" + escape(filepath.Join(at(tt.point), tt.below))
			run := func(parameters string) (stderr string, code int) {
				_, stderr, code = program.Nth(t, nil, "run", "--index", "0", "--store-wait", "0s", "--markers", url+parameters, "--", "sh", "-c", "echo >> "+ran)
				return stderr, code
			}
			if tt.mount != "" {
				switch m := newVolume(t, at(tt.mount)); {
				case tt.bind:
					m.bind()
				default:
					m.mount()
				}
			}
			if tt.point == "vol/sub" {
				newVolume(t, at(tt.point))
			}
			t.Cleanup(func() { os.Remove(ran) })
			stderr, code := run("?mountpoint=" + escape(at(tt.point)))
			if _, err := os.Stat(ran); code != tt.code || (err == nil) != (code == 0) {
				t.Fatalf("exit code %d, the command has run: %v: %s", code, err == nil, stderr)
			}
			if tt.code != 0 {
				if !strings.Contains(stderr, "nothing is mounted at "+at(tt.point)+" (mount the volume, or take mountpoint out of the URL)") {
					t.Error(stderr)
				}
				if tt.mount == "" {
					v.empty()
				}
				return
			}
			for _, same := range []string{"", "?mountpoint=", "?create_dir=true&mountpoint=" + escape(at(tt.point))} {
				if stderr, code := run(same); code != 0 || !strings.Contains(stderr, "index 0 is done already") {
					t.Errorf("%q: exit code %d: %s", same, code, stderr)
				}
			}
		})
	}
}

// TestMountpointOfNothing: what says where something is mounted, and can't be.
func TestMountpointOfNothing(t *testing.T) {
	dir := t.TempDir()
	for _, point := range []string{"/", "vol", dir + "/m/sub", dir + "/m2", dir + "/other", "true"} {
		_, stderr, code := program.Nth(t, nil, "run", "--index", "0", "--store-wait", "0s", "--markers", "file://"+dir+"/m?mountpoint="+point, "--", "true")
		if code != 64 || !strings.Contains(stderr, "the parameter mountpoint: it is where the volume is mounted: the URL's own directory, or one above it but /") {
			t.Errorf("%s: exit code %d: %s", point, code, stderr)
		}
	}
	// What was left on the disk below while the volume wasn't there is no marker.
	v := newVolume(t, filepath.Join(dir, "vol"))
	url := "file://" + v.at + "/markers"
	if _, stderr, code := program.Nth(t, nil, "run", "--index", "0", "--markers", url, "--", "true"); code != 0 {
		t.Fatal(code, stderr)
	}
	for _, words := range [][]string{
		{"run", "--index", "0", "--", "true"}, {"run", "--index", "1", "--", "true"}, {"local", "--completions", "1", "--", "true"},
		{"status", "--completions", "3"}, {"reset", "--indexes", "0"}, {"mark", "--indexes", "1", "--reason", "x"}, {"check"},
	} {
		words = append([]string{words[0], "--markers", url + "?mountpoint=" + v.at, "--store-wait", "0s"}, words[1:]...)
		if _, stderr, code := program.Nth(t, nil, words...); code != 69 || !strings.Contains(stderr, "nothing is mounted at "+v.at) {
			t.Errorf("%s: exit code %d: %s", words[0], code, stderr)
		}
	}
	if _, err := os.Stat(v.at + "/markers/done/1.json"); err == nil {
		t.Error("there is a marker of index 1")
	}
}

// TestUnmountedMeanwhile: what goes away while the command works is not made again on the
// disk below: the marker that can't be written is 73.
func TestUnmountedMeanwhile(t *testing.T) {
	for name, parameters := range map[string]string{"as it is": "", "may make directories": "?create_dir=true", "wants its volume": "?mountpoint=VOL"} {
		t.Run(name, func(t *testing.T) {
			v := newVolume(t, filepath.Join(t.TempDir(), "vol")).mount()
			url := "file://" + v.at + "/markers" + strings.Replace(parameters, "VOL", v.at, 1)
			_, stderr, code := program.Nth(t, nil, "run", "--index", "0", "--marker-timeout", "10ms", "--markers", url, "--", "umount", v.at)
			if code != 73 || !strings.Contains(stderr, "mounted") {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			v.empty()
		})
	}
}

// TestMountedLate: a volume that is there later than the run is waited for.
func TestMountedLate(t *testing.T) {
	v := newVolume(t, filepath.Join(t.TempDir(), "vol"))
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nth, "run", "--index", "0", "--store-wait", "1h", "--markers", "file://"+v.at+"/markers?mountpoint="+v.at, "--", "true")
	var said program.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	harness.Await(t, func() bool { return strings.Contains(said.String(), "trying again") || len(ended) > 0 }, said.String)
	v.mount()
	if err := <-ended; err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	if _, err := os.Stat(v.at + "/markers/done/0.json"); err != nil {
		t.Error(err)
	}
}

// TestNoMountinfo: where the system doesn't tell what is mounted, who wants to know is told.
func TestNoMountinfo(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for parameter, want := range map[string]int{dir: 78, "": 0} {
		cmd := exec.Command("unshare", "-m", "sh", "-c", `mount -t tmpfs none /proc && exec "$@"`, "sh",
			nth, "run", "--index", "0", "--markers", "file://"+dir+"/m?mountpoint="+parameter, "--", "true")
		var out bytes.Buffer
		cmd.Stderr = &out
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != want || strings.Contains(out.String(), "this system doesn't tell what is mounted") != (want == 78) {
			t.Errorf("%q: exit code %d, want %d: %s", parameter, code, want, out.String())
		}
	}
}
