//go:build linux

package queues

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
	"nth/testdata/program"
)

// scene is where workers of one queue meet: a folder with their markers and the traces
// of their commands.
type scene struct {
	t       *testing.T
	q       *filledQueue
	dir     string
	markers string
	flags   []string
}

func newScene(t *testing.T, q *filledQueue, flags ...string) *scene {
	t.Helper()
	dir := t.TempDir()
	return &scene{t, q, dir, "file://" + dir + "/markers", append(slices.Clone(q.flags), flags...)}
}

// settles: where a queue can't tell what others have, its workers wait for so long.
func (s *scene) settles(d string) {
	for i, f := range s.flags {
		s.flags[i] = strings.Replace(f, "settle=0s", "settle="+d, 1)
	}
}

// slow is a command that leaves a trace, and works until the file go is there, or the
// one of its own index.
func (s *scene) slow() []string {
	return []string{"sh", "-c", fmt.Sprintf(`cd %s; echo "$NTH_ITEM_INDEX" >>runs; touch "began.$NTH_ITEM_INDEX"
while [ ! -e go ] && [ ! -e "go.$NTH_ITEM_INDEX" ]; do sleep 0.05; done`, s.dir)}
}

func (s *scene) path(name string) string { return filepath.Join(s.dir, name) }

func (s *scene) touch(name string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), nil, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// pod is a worker's process, whose log can be read while it works.
type pod struct {
	t     *testing.T
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// start starts a worker.
func (s *scene) start(index int, command []string, flags ...string) *pod {
	s.t.Helper()
	path, err := harness.Binary()
	if err != nil {
		s.t.Fatal(err)
	}
	log, err := os.CreateTemp(s.dir, "log")
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	args := append(append([]string{"run", "--markers=" + s.markers}, s.flags...), flags...)
	p := &pod{s.t, exec.Command(path, append(append(args, "--"), command...)...), log.Name(), make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), fmt.Sprint("JOB_COMPLETION_INDEX=", index)}, program.Secrets...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.ended) }()
	s.t.Cleanup(p.kill)
	return p
}

func (p *pod) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

func (p *pod) signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) }

func (p *pod) text() string {
	body, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(body)
}

// says waits until its log has a text.
func (p *pod) says(text string) {
	p.t.Helper()
	program.AwaitText(p.t, "line "+text, p.text, text)
}

// ends waits for its end, which must be this.
func (p *pod) ends(code int, says ...string) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(harness.Patience):
		p.t.Fatalf("it doesn't end: %s", p.text())
	}
	log := p.text()
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("exit code %d, want %d: %s", got, code, log)
	}
	for _, s := range says {
		if !strings.Contains(log, s) {
			p.t.Errorf("it doesn't say %q: %s", s, log)
		}
	}
	if strings.Contains(log, "canary") {
		p.t.Errorf("a secret is in the log: %s", log)
	}
}

// settled: the commands ran under these indexes, each task has one marker, and none
// is left.
func (s *scene) settled(tasks int, runs ...string) {
	s.t.Helper()
	body, _ := os.ReadFile(s.path("runs"))
	if diff := cmp.Diff(runs, strings.Fields(string(body))); diff != "" {
		s.t.Errorf("the indexes of the commands (-want +got):\n%s", diff)
	}
	s.done(tasks)
}

// done: so many tasks have a marker, and none is left that isn't dead.
func (s *scene) done(tasks int) {
	s.t.Helper()
	if n, left := program.Documents(s.t, s.markers, "done/tasks/"), s.q.left()-s.q.dead(); n != tasks || left != 0 {
		s.t.Errorf("%d markers, want %d; %d tasks left", n, tasks, left)
	}
}

// unfailed: nobody has failed at a task.
func (s *scene) unfailed() {
	s.t.Helper()
	if failed := s.read("failed/tasks"); len(failed) > 0 {
		s.t.Errorf("%d failures are recorded: %s", len(failed), failed)
	}
}
