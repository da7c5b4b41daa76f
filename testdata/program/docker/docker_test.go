package docker

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nth/shim/marker"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// The images of the tests below. Both begin with `nth run`.
const (
	scratchImage = "scratch-test" // /nth and /actor, nothing else
	shellImage   = "shell-test"   // busybox with /nth
)

// TestDocker is nth as the real PID 1 of real containers.
func TestDocker(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	actor := filepath.Join(t.TempDir(), "actor")
	build := exec.Command("go", "build", "-o", actor, "./testdata/cmd/actor")
	build.Dir, build.Env = harness.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	d := servers.StartDocker(t)
	entrypoint := []string{`ENTRYPOINT ["/nth", "run"]`}
	d.Import(t, scratchImage, servers.Image{Files: map[string]string{"/nth": nth, "/actor": actor}, Changes: entrypoint})
	d.Import(t, shellImage, servers.Image{Files: map[string]string{"/nth": nth}, Busybox: true, Changes: entrypoint})
	d.Import(t, "busybox", servers.Image{Busybox: true})
	for name, test := range map[string]func(*testing.T, *servers.Docker){
		"once":     dockerOnce,
		"volume":   dockerVolume,
		"signals":  dockerSignals,
		"stop":     dockerStop,
		"terminal": dockerTerminal,
		"message":  dockerMessage,
		"image":    dockerImage,
		"install":  dockerInstall,
		"job":      dockerJob,
		"each":     dockerEach,
		"logs":     dockerLogs,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, d)
		})
	}
}

// index is what every container of these tests runs.
const index = 5

// container is one of index 5, with its markers on this machine.
type container struct {
	*servers.Docker
	t       *testing.T
	markers string
	id      string // once started
}

func newContainer(t *testing.T, d *servers.Docker) *container {
	c := &container{Docker: d, t: t, markers: t.TempDir()}
	if err := os.Chmod(c.markers, 0o777); err != nil { // for containers of other users
		t.Fatal(err)
	}
	return c
}

// words gives the words of `docker run`: flags of docker, the image, and what
// follows: flags of nth and its command.
func (c *container) words(flags []string, image string, command ...string) []string {
	return slices.Concat([]string{"run", "-e", "JOB_COMPLETION_INDEX=" + strconv.Itoa(index), "-v", c.markers + ":/m"},
		flags, []string{image, "--markers", "file:///m"}, command)
}

// start starts the container and waits until its command says ready.
func (c *container) start(flags []string, image string, command ...string) {
	c.t.Helper()
	c.id = c.Output(c.t, c.words(append([]string{"-d"}, flags...), image, command...)...)
	c.await("ready\n")
}

func (c *container) await(text string) {
	c.t.Helper()
	program.AwaitText(c.t, "text "+text, func() string {
		logs := c.Run(c.t, "logs", c.id)
		return logs.Stdout + logs.Stderr
	}, text)
}

// wait gives the exit code of the container and what its command printed.
func (c *container) wait() servers.Outcome {
	c.t.Helper()
	code, err := strconv.Atoi(c.Output(c.t, "wait", c.id))
	if err != nil {
		c.t.Fatal(err)
	}
	out := c.Run(c.t, "logs", c.id)
	out.Code = code
	return out
}

// expect checks the exit code, and the marker that goes with it: one for 0, else none.
func (c *container) expect(out servers.Outcome, code int) {
	c.t.Helper()
	if out.Code != code {
		c.t.Errorf("exit code %d, want %d\n%s%s", out.Code, code, out.Stdout, out.Stderr)
	}
	if done := c.read("done", &marker.Marker{}); done != (code == 0) {
		c.t.Errorf("exit code %d, and a marker: %v\n%s", code, done, out.Stderr)
	}
}

// read reads one of the index's documents and tells whether there is one.
func (c *container) read(dir string, into any) bool {
	c.t.Helper()
	body, err := os.ReadFile(filepath.Join(c.markers, filepath.FromSlash(marker.Key(dir, index))))
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return true
}

// failure gives the record of the last failure.
func (c *container) failure() marker.Failure {
	c.t.Helper()
	var f marker.Failure
	if !c.read("failed", &f) {
		c.t.Error("there is no failure record")
	}
	return f
}

// dockerOnce runs commands to their end, in containers that allow little.
func dockerOnce(t *testing.T, d *servers.Docker) {
	least := []string{"--read-only", "--user", "12345", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none"}
	tests := []struct {
		name, image string
		flags       []string
		command     []string
		code        int
		stdout      string
		failure     func(marker.Failure) bool
	}{
		{name: "success", command: []string{"/actor", "exit", "0"}},
		{name: "exit code passes through", command: []string{"/actor", "exit", "3"}, code: 3,
			failure: func(f marker.Failure) bool { return f.ExitCode == 3 && *f.CommandCode == 3 }},
		{name: "not found", command: []string{"/bin/sh", "-c", "exit 0"}, code: 127},
		{name: "not executable", command: []string{"/proc/version"}, code: 126},
		{name: "script without an interpreter line", image: shellImage, code: 4,
			command: []string{"sh", "-c", "printf 'exit 4' >/tmp/x; chmod +x /tmp/x; exec /nth run -- /tmp/x"}},
		{name: "signalled", image: shellImage, command: []string{"sh", "-c", "kill -9 $$"}, code: 137,
			failure: func(f marker.Failure) bool { return f.Signal == "SIGKILL" && !f.OOMKilled && f.CommandCode == nil }},
		{name: "read-only root", flags: []string{"--read-only"}, command: []string{"/actor", "exit", "0"}},
		{name: "unknown user", flags: []string{"--user", "12345"}, command: []string{"/actor", "exit", "0"}},
		{name: "no capabilities", flags: []string{"--cap-drop", "ALL"}, command: []string{"/actor", "exit", "0"}},
		{name: "least of all", flags: least, command: []string{"/actor", "exit", "0"}},
		{name: "least of all, and it fails", flags: least, command: []string{"/actor", "exit", "9"}, code: 9,
			failure: func(f marker.Failure) bool { return f.CommandCode != nil && *f.CommandCode == 9 }},
		{name: "no process more", flags: []string{"--pids-limit", "20"}, command: []string{"/actor", "crowd", "0s"}, code: 3,
			stdout: "resource temporarily unavailable", failure: func(f marker.Failure) bool { return f.CommandCode != nil && *f.CommandCode == 3 }},
		{name: "no process more, on a machine with many CPUs, and the output is kept", command: []string{"/actor", "crowd", "6s"}, code: 3, // until the first upload is over
			flags:  []string{"--pids-limit", "30", "-e", "GOMAXPROCS=64", "-e", "NTH_LOGS=file:///m/logs"},
			stdout: "resource temporarily unavailable", failure: func(f marker.Failure) bool { return f.Log != "" && *f.CommandCode == 3 }},
		{name: "out of memory", flags: []string{"--memory", "32m", "--memory-swap", "32m"}, command: []string{"/actor", "eat", "64"}, code: 137,
			failure: func(f marker.Failure) bool { return f.OOMKilled && f.Signal == "SIGKILL" }},
		{name: "orphans", command: []string{"/actor", "orphans", "100"}, stdout: "all reaped"},
		{name: "orphans of an unknown user", flags: least, command: []string{"/actor", "orphans", "20"}, stdout: "all reaped"},
		{name: "standard input", image: shellImage, flags: []string{"-i"}, command: []string{"cat"}, stdout: "typed\n"},
		{name: "a secret in a variable of the container", flags: []string{"-e", "NTH_LOG_LEVEL=debug", "-e", "KEY=s3cr3t-word"},
			command: []string{"/actor", "append", "/m/<<.Index>>", "<<secret \"KEY\">>"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, d)
			image := tt.image
			if image == "" {
				image = scratchImage
			}
			out := c.RunInput(t, strings.NewReader("typed\n"), c.words(append([]string{"--rm"}, tt.flags...), image, append([]string{"--"}, tt.command...)...)...)
			c.expect(out, tt.code)
			if !strings.Contains(out.Stdout, tt.stdout) {
				t.Errorf("stdout %q, want %q in it", out.Stdout, tt.stdout)
			}
			if strings.Contains(out.Stderr, "s3cr3t-word") {
				t.Errorf("a secret is in the log: %s", out.Stderr)
			}
			if tt.failure != nil {
				if f := c.failure(); !tt.failure(f) {
					t.Errorf("wrong failure record: %+v\n%s", f, out.Stderr)
				}
			}
		})
	}
	t.Run("again", func(t *testing.T) {
		t.Parallel()
		c := newContainer(t, d)
		for range 3 {
			c.expect(c.Run(t, c.words([]string{"--rm"}, scratchImage, "--", "/actor", "append", "/m/runs", "one")...), 0)
		}
		program.CheckFile(t, filepath.Join(c.markers, "runs"), "one\n")
	})
	t.Run("what it leaves behind ends before the marker", func(t *testing.T) {
		t.Parallel()
		c := newContainer(t, d)
		c.expect(c.Run(t, c.words([]string{"--rm"}, scratchImage, "--", "/actor", "escape", "/m/out")...), 0)
		out := filepath.Join(c.markers, "out")
		if body, err := os.ReadFile(out); err != nil || !strings.HasSuffix(string(body), "more\nend\n") {
			t.Errorf("it was killed while it wrote: %q, %v", body[max(0, len(body)-50):], err)
		}
		if modified(t, out).After(modified(t, filepath.Join(c.markers, "done", "5.json"))) {
			t.Error("it wrote when the marker was there already")
		}
	})
}

func modified(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}
