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

// TestPodman is nth as the first process of podman's containers, and as podman's init's child.
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
