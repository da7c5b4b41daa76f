package hosts

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// image is busybox with nth.
func image(t *testing.T) servers.Image {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	return servers.Image{Files: map[string]string{"/nth": nth}, Busybox: true, Changes: []string{`ENTRYPOINT ["/nth", "run"]`}}
}

// shared makes the markers' directory one for any user.
func (h *host) shared() string {
	h.t.Helper()
	dir := filepath.Join(h.dir, "markers")
	if err := os.Mkdir(dir, 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		h.t.Fatal(err)
	}
	return dir
}

// TestPodman is nth as the first process of podman's containers.
func TestPodman(t *testing.T) {
	t.Parallel()
	p := servers.StartPodman(t)
	p.Import(t, "work", image(t))
	least := []string{"--read-only", "--user", "12345", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"}
	for _, tt := range []struct {
		name    string
		flags   []string
		script  string
		stop    []string // flags of podman stop; nil: it ends by itself
		code    int
		done    string
		printed string
	}{
		{"done", nil, "echo $PPID", nil, 0, "3", "1\n"},
		{"failed", nil, "exit 4", nil, 4, "", ""},
		{"least of all", least, "id -u", nil, 0, "3", "12345\n"},
		{"orphans", least, `(sleep 0.1 &) ; (setsid sleep 600 &) ; echo left`, nil, 0, "3", "left\n"},
		{"stopped", nil, `trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.1; done`, []string{"--time", "600"}, 143, "", "saved\n"},
		{"stopped, and it finishes", []string{"--env", "NTH_EXIT_ZERO_AFTER_SIGNAL=done"}, `trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done`, []string{"--time", "600"}, 0, "3", ""},
		{"out of time", nil, `trap '' TERM; echo ready; while :; do sleep 0.1; done`, []string{"--time", "1"}, 137, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			words := slices.Concat([]string{"run", "--name", strings.NewReplacer(" ", "-", ",", "").Replace(tt.name), "-e", "NTH_INDEX=3", "-e", "NTH_LOG_LEVEL=warn", "-v", h.shared() + ":/m"}, tt.flags,
				[]string{"work", "--markers", "file:///m", "--", "sh", "-c", tt.script})
			cmd := p.Command(words...)
			var stdout program.Buffer
			var stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if tt.stop != nil {
				stdout.Await(t, "ready")
				if out := p.Run(t, nil, append(append([]string{"stop"}, tt.stop...), words[2])...); out.Code != 0 {
					t.Errorf("podman stop: %s", out.Stderr)
				}
			}
			_ = cmd.Wait()
			h.expect(cmd.ProcessState.ExitCode(), tt.code, tt.done)
			if got := stdout.String(); !strings.HasSuffix(got, tt.printed) {
				t.Errorf("it printed %q, want %q: %s", got, tt.printed, stderr.String())
			}
		})
	}
}

// TestCompose is nth in the services of docker-compose, an index each.
func TestCompose(t *testing.T) {
	t.Parallel()
	d := servers.StartDocker(t)
	d.Import(t, "nth", image(t))
	compose := func(h *host, words ...string) int {
		t.Helper()
		cmd := d.Command()
		cmd.Path, cmd.Err = "/usr/bin/docker-compose", nil
		cmd.Args = append([]string{"docker-compose", "--no-ansi", "--project-name", filepath.Base(h.dir)}, words...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = h.dir, &h.out, &h.out
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode()
	}
	prepare := func(command string) *host {
		h := newHost(t)
		file := strings.NewReplacer("/mnt/markers", h.shared(), "echo item <<.Index>>", command, "  read_only: true\n", "  read_only: true\n  network_mode: none\n").
			Replace(program.Recipe(t, "yml", "compose"))
		h.write("docker-compose.yml", file)
		return h
	}
	state := func(h *host, field string) string {
		t.Helper()
		return d.Output(t, "inspect", "--format", "{{"+field+"}}", filepath.Base(h.dir)+"_item-1_1")
	}
	t.Run("done, and again", func(t *testing.T) {
		t.Parallel()
		h := prepare("echo item <<.Index>> | tee -a /markers/ran")
		h.expect(compose(h, "up"), 0, "01")
		h.expect(compose(h, "up"), 0, "01")
		if ran := h.lines("markers/ran"); len(ran) != 2 {
			t.Errorf("it ran for %q: %s", ran, h.out.String())
		}
	})
	t.Run("a failure is tried again, with an end", func(t *testing.T) {
		t.Parallel()
		h := prepare("echo >>/markers/ran-<<.Index>>; exit <<.Index>>")
		h.expect(compose(h, "up", "--detach"), 0, h.done())
		harness.Await(t, func() bool { return state(h, ".RestartCount") == "3" && state(h, ".State.Running") == "false" }, func() string { return "no end of it" })
		h.expect(0, 0, "0")
		if code := state(h, ".State.ExitCode"); code != "1" {
			t.Errorf("exit code %s", code)
		}
	})
	t.Run("stopped", func(t *testing.T) {
		t.Parallel()
		h := prepare("trap 'exit 0' TERM; touch /markers/ready-<<.Index>>; while :; do sleep 0.1; done")
		h.expect(compose(h, "up", "--detach"), 0, "")
		program.Appears(t, filepath.Join(h.dir, "markers", "ready-1"))
		h.expect(compose(h, "stop", "--timeout", "600"), 0, "")
		if code := state(h, ".State.ExitCode"); code != "143" {
			t.Errorf("exit code %s", code)
		}
	})
}
