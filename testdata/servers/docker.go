package servers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"nth/testdata/harness"
)

// Docker is a Docker engine of a test's own: its images, containers and socket
// are in a temporary folder, and nothing of it is left afterwards. Its containers
// have no network but the machine's own (--network host) or none, which is the
// default. Building is done by the classic builder unless BuildKit is asked for.
type Docker struct {
	cli  string // the first docker on the PATH
	dir  string
	log  bytes.Buffer // of dockerd; read it only after ended
	done chan struct{}
	pid  int
}

// startup bounds how long the engine may take until it answers, and to stop.
const startup = harness.Patience

// StartDocker starts an engine and stops it when the test ends. A machine
// without Docker fails the test.
func StartDocker(t testing.TB) *Docker {
	t.Helper()
	d := &Docker{done: make(chan struct{})}
	var err error
	if d.cli, err = exec.LookPath("docker"); err == nil {
		_, err = exec.LookPath("dockerd")
	}
	if err != nil {
		t.Fatalf("no Docker here: %v; apt-get install -y docker.io, or ./testdata/test, which installs all that the tests need", err)
	}
	if os.Geteuid() != 0 {
		t.Fatal("dockerd needs root; sudo ./testdata/test runs the tests as root")
	}
	// Not t.TempDir: its long names don't fit into a socket's address.
	if d.dir, err = os.MkdirTemp("", "nth-docker-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(t) })
	started := make(chan error)
	go d.daemon(started)
	if err := <-started; err != nil {
		t.Fatalf("start dockerd: %v", err)
	}
	if err := d.answers(); err != nil {
		t.Fatal(err)
	}
	return d
}

// daemon runs dockerd to its end. Its thread is kept, so that the kernel stops
// dockerd if the test process is killed: the signal comes when the thread that
// forked it is gone.
func (d *Docker) daemon(started chan<- error) {
	runtime.LockOSThread()
	cmd := exec.Command("dockerd",
		"--data-root", filepath.Join(d.dir, "data"), "--exec-root", filepath.Join(d.dir, "exec"),
		"--pidfile", filepath.Join(d.dir, "pid"), "--host", d.host(),
		// Apart from an engine that may run already, also where both use one containerd.
		"--containerd-namespace", "nth-test", "--containerd-plugins-namespace", "nth-test-plugins",
		// A machine's packet filter is none of a test's business.
		"--iptables=false", "--ip6tables=false", "--bridge=none")
	cmd.Stdout, cmd.Stderr = &d.log, &d.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	err := cmd.Start()
	if err == nil {
		d.pid = cmd.Process.Pid
	}
	started <- err
	if err == nil {
		_ = cmd.Wait() // how it ended doesn't matter, only that it did
	}
	close(d.done)
}

func (d *Docker) host() string { return "unix://" + filepath.Join(d.dir, "socket") }

// answers waits until the engine does.
func (d *Docker) answers() error {
	deadline := time.Now().Add(startup)
	for {
		out, err := d.Command("version").CombinedOutput()
		if err == nil {
			return nil
		}
		select {
		case <-d.done:
			return fmt.Errorf("dockerd ended at once:\n%s", d.log.String())
		case <-time.After(200 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("dockerd didn't answer within %v: %w\n%s", startup, err, out)
		}
	}
}

func (d *Docker) stop(t testing.TB) {
	if d.pid != 0 {
		_ = syscall.Kill(d.pid, syscall.SIGTERM) // it may have ended by itself
		select {
		case <-d.done:
		case <-time.After(startup):
			t.Errorf("dockerd doesn't stop; it is killed")
			_ = syscall.Kill(d.pid, syscall.SIGKILL)
			<-d.done
		}
	}
	if t.Failed() && d.pid != 0 {
		log := strings.Split(strings.TrimSpace(d.log.String()), "\n")
		t.Logf("the end of dockerd's log:\n%s", strings.Join(log[max(0, len(log)-20):], "\n"))
	}
	// dockerd leaves this mounted after a container with --network host.
	_ = syscall.Unmount(filepath.Join(d.dir, "exec", "netns", "default"), syscall.MNT_DETACH)
	if err := os.RemoveAll(d.dir); err != nil {
		t.Error(err)
	}
}

// Command is the docker command line, told to use this engine and nothing of the
// user's own configuration, in the repository's folder.
func (d *Docker) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(d.cli, args...)
	cmd.Dir = harness.Root()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DOCKER_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "DOCKER_HOST="+d.host(), "DOCKER_CONFIG="+filepath.Join(d.dir, "config"), "DOCKER_BUILDKIT=0")
	return cmd
}

// Output gives what a docker command prints, without the white space around it.
// The test fails if the command does.
func (d *Docker) Output(t testing.TB, args ...string) string {
	t.Helper()
	out := d.Run(t, args...)
	if out.Code != 0 {
		t.Fatalf("docker %s: exit code %d\n%s%s", strings.Join(args, " "), out.Code, out.Stdout, out.Stderr)
	}
	return strings.TrimSpace(out.Stdout)
}

// Outcome is how a command ended and what it printed.
type Outcome struct {
	Stdout, Stderr string
	Code           int
}

// Run runs a docker command to its end, whatever its exit code; for `docker run`
// without -d that is the container's own.
func (d *Docker) Run(t testing.TB, args ...string) Outcome {
	t.Helper()
	return d.RunInput(t, nil, args...)
}

// RunInput is Run with something on stdin.
func (d *Docker) RunInput(t testing.TB, stdin io.Reader, args ...string) Outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := d.Command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("docker %s: %v", strings.Join(args, " "), err)
	}
	return Outcome{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// BuildKit runs `docker build` by BuildKit, with the first client on the PATH that
// can: since 23.0 a client needs a plugin for it, which may be missing.
func (d *Docker) BuildKit(t testing.TB, args ...string) {
	t.Helper()
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		cmd := d.Command(append([]string{"build"}, args...)...)
		cmd.Path = filepath.Join(dir, "docker")
		cmd.Env = append(cmd.Env, "DOCKER_BUILDKIT=1")
		out, err := cmd.CombinedOutput()
		if err == nil {
			return
		}
		if !errors.Is(err, fs.ErrNotExist) && !bytes.Contains(out, []byte("buildx component is missing")) {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
	t.Fatal("no docker on the PATH has BuildKit; apt-get install -y docker-buildx, or docker.io of Debian 12")
}
