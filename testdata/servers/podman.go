package servers

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Podman is podman with images and containers of a test's own, without a network.
type Podman struct {
	dir string
}

// StartPodman makes a place for them, which is gone when the test ends.
func StartPodman(t testing.TB) *Podman {
	t.Helper()
	if _, err := exec.LookPath("podman"); err != nil {
		t.Fatal("no podman here: apt-get install podman runc")
	}
	dir, err := os.MkdirTemp("", "nth-podman-")
	if err != nil {
		t.Fatal(err)
	}
	p := &Podman{dir}
	t.Cleanup(func() {
		if out := p.Run(t, nil, "rm", "--all", "--force", "--time", "0"); out.Code != 0 {
			t.Errorf("podman rm: %s", out.Stderr)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Import makes an image without a registry.
func (p *Podman) Import(t testing.TB, tag string, image Image) {
	t.Helper()
	read := image.archive()
	out := p.Run(t, read, image.words(tag)...)
	read.Close()
	if out.Code != 0 {
		t.Fatalf("import the image %s: %s", tag, out.Stderr)
	}
}

// Command is podman's command line. crun needs one kind of cgroups, which not every machine
// has, and podman raises limits that a machine without CAP_SYS_RESOURCE may not.
func (p *Podman) Command(args ...string) *exec.Cmd {
	at := func(name string) string { return filepath.Join(p.dir, name) }
	words := []string{"--root", at("root"), "--runroot", at("run"), "--tmpdir", at("tmp"), "--storage-driver", "vfs",
		"--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", "runc"}
	words = append(words, args[0])
	if args[0] == "run" {
		words = append(words, "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
	}
	return exec.Command("podman", append(words, args[1:]...)...)
}

// Run runs a podman command to its end, whatever its exit code.
func (p *Podman) Run(t testing.TB, stdin io.Reader, args ...string) Outcome {
	t.Helper()
	cmd := p.Command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return Outcome{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}
