package servers

import (
	"bytes"
	_ "embed"
	"errors"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"nth/testdata/harness"
)

// GridEngine is a cell of Grid Engine of a test's own, of one machine and two queues: all of
// it is in a temporary folder and in a PID namespace, so that no job outlives the test. In the
// queue all.q a job has ten minutes between qsub -notify's signal and SIGKILL, which no machine
// exceeds, in brief.q five seconds.
type GridEngine struct {
	Dir  string // where anybody may write
	env  []string
	user *syscall.Credential // who submits: of root's jobs Grid Engine signals fewer processes
	log  bytes.Buffer
}

//go:embed gridengine.sh
var cell string

// StartGridEngine starts one and stops it when the test ends.
func StartGridEngine(t testing.TB) *GridEngine {
	t.Helper()
	if _, err := os.Stat("/usr/lib/gridengine/sge_execd"); err != nil {
		t.Fatal("no Grid Engine here: apt-get install gridengine-master gridengine-exec gridengine-client")
	}
	dir, err := os.MkdirTemp("", "nth-sge-") // t.TempDir lets nobody else in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	port := func() string {
		_, port, _ := net.SplitHostPort(Address(t))
		return port
	}
	g := &GridEngine{Dir: filepath.Join(dir, "work"), user: credential(t, "nobody"), env: []string{"SGE_ROOT=" + dir + "/root", "SGE_CELL=cell",
		"SGE_QMASTER_PORT=" + port(), "SGE_EXECD_PORT=" + port(), "SGE_ND=1", "PATH=/usr/lib/gridengine:" + os.Getenv("PATH")}}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(g.Dir, 0o755), os.Chmod(g.Dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan *exec.Cmd), make(chan struct{})
	go g.daemons(dir, started, ended)
	cmd := <-started
	if cmd.Process == nil {
		t.Fatalf("start Grid Engine: %v", cmd.Err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("the end of what Grid Engine says: %s", end(g.log.String()))
		}
	})
	over := false
	harness.Await(t, func() bool {
		select {
		case <-ended:
			over = true
		default:
		}
		_, err := os.Stat(filepath.Join(dir, "ready"))
		return over || err == nil
	}, func() string { return "Grid Engine doesn't start" })
	if over {
		t.Fatalf("Grid Engine ended at once: %s", end(g.log.String()))
	}
	return g
}

// daemons runs the daemons as the first process of a namespace, with which the kernel ends all
// others. It keeps its thread, so that they end with the test process too.
func (g *GridEngine) daemons(dir string, started chan<- *exec.Cmd, ended chan<- struct{}) {
	runtime.LockOSThread()
	cmd := exec.Command("/bin/sh", "-ec", cell)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, g.env, &g.log, &g.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	cmd.Err = errors.Join(cmd.Err, cmd.Start())
	started <- cmd
	if cmd.Process != nil {
		_ = cmd.Wait() // it is killed
	}
	close(ended)
}

func credential(t testing.TB, name string) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// Run runs one of Grid Engine's programs as a user, in a folder of the jobs.
func (g *GridEngine) Run(t testing.TB, dir, name string, args ...string) Outcome {
	t.Helper()
	return g.run(t, g.user, dir, name, args...)
}

// Manage is Run as the cell's manager.
func (g *GridEngine) Manage(t testing.TB, name string, args ...string) Outcome {
	t.Helper()
	return g.run(t, nil, g.Dir, name, args...)
}

func (g *GridEngine) run(t testing.TB, as *syscall.Credential, dir, name string, args ...string) Outcome {
	t.Helper()
	cmd := exec.Command("/usr/lib/gridengine/"+name, args...)
	var stdout, stderr strings.Builder
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, g.env, &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return Outcome{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}
