//go:build linux

package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/servers"
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
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), fmt.Sprint("JOB_COMPLETION_INDEX=", index)}, secrets...)
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
	for end := time.Now().Add(time.Minute); !strings.Contains(p.text(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("it never says %q: %s", text, p.text())
		}
	}
}

// ends waits for its end, which must be this.
func (p *pod) ends(code int, says ...string) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(2 * time.Minute):
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
	if n, left := documents(s.t, s.markers, "done/tasks/"), s.q.left()-s.q.dead(); n != tasks || left != 0 {
		s.t.Errorf("%d markers, want %d; %d tasks left", n, tasks, left)
	}
}

// documents counts what is under a prefix.
func documents(t *testing.T, markers, prefix string) (n int) {
	t.Helper()
	if strings.HasPrefix(markers, "file:") {
		markers += "?create_dir=true"
	}
	s, err := store.Open(t.Context(), markers)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.List(t.Context(), prefix, func(string, int64, time.Time) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestWorkerDies: one that is killed at any step comes back and finishes. Its command
// runs again only where nobody can know that it had ended.
func TestWorkerDies(t *testing.T) {
	for _, v := range secrets { // the test looks at the markers, too
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	s3 := servers.StartS3(t)
	s3.Bucket(t, "data")
	for _, kind := range queueKinds {
		q := kind.start(t)
		for n, tt := range []struct {
			step   string
			method string // of the marker's request, at which it is killed
			handle bool   // the store has carried it out by then
			runs   []string
		}{
			{"before the command", http.MethodGet, false, []string{"0"}},
			{"while it works", "", false, []string{"0", "0"}},
			{"before the marker", http.MethodPut, false, []string{"0", "0"}},
			{"before the acknowledgement", http.MethodPut, true, []string{"0"}},
		} {
			t.Run(kind.name+" "+tt.step, func(t *testing.T) {
				reached := make(chan struct{})
				var killed atomic.Bool
				fault := servers.StartFault(t, s3.Address, func(_ int, r *http.Request) servers.Action {
					if killed.Load() || r.Method != tt.method || !strings.Contains(r.URL.Path, "/done/tasks/") {
						return nil
					}
					return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
						if tt.handle {
							servers.Handle(f, servers.Detached(r))
						}
						close(reached)
						servers.Stall(f, w, r)
					}
				})
				s := newScene(t, q, "--lease=2s")
				s.markers = fmt.Sprintf("s3://data/%s-%d?endpoint=%s&use_path_style=true", kind.name, n, fault.URL)
				q.fill("x")
				if tt.method == "" {
					first := s.start(0, s.slow())
					appears(t, s.path("began.0"))
					first.kill()
					s.touch("go")
				} else {
					s.touch("go")
					first := s.start(0, s.slow())
					select {
					case <-reached:
					case <-first.ended:
						t.Fatal(first.text())
					}
					first.kill()
				}
				killed.Store(true)
				s.start(0, s.slow()).ends(0, "task done")
				s.settled(1, tt.runs...)
				s.start(0, s.slow()).ends(0, "no task is left")
				s.settled(1, tt.runs...)
			})
		}
	}
}

// meetings are of several workers, or one that comes back, at one queue.
var meetings = []struct {
	name string
	do   func(t *testing.T, q *filledQueue)
}{
	{"two of one index", twins},
	{"two of one index, one dies", twinDies},
	{"frozen, back before the other is done", frozenBefore},
	{"frozen, back after the other is done", frozenAfter},
	{"the last task's worker dies", lastDies},
	{"the acknowledgement fails", unacknowledged},
	{"away at the take", awayAtTake},
	{"away at the renewal", awayAtKeep},
	{"away at the acknowledgement", awayAtDone},
}

func TestWorkersMeet(t *testing.T) {
	for _, kind := range queueKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			q := kind.start(t)
			for _, m := range meetings {
				t.Run(m.name, func(t *testing.T) { m.do(t, q) })
			}
		})
	}
}

// twins: a Job may have two pods of one index. Each task is one's alone.
func twins(t *testing.T, q *filledQueue) {
	s := newScene(t, q, "--lease=30s")
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint("task-", 10+i))
	}
	q.fill(want...)
	command := []string{"sh", "-c", "echo <<.Task>> >>" + s.path("runs")}
	a, b := s.start(0, command), s.start(0, command)
	a.ends(0)
	b.ends(0)
	body, _ := os.ReadFile(s.path("runs"))
	got := strings.Fields(string(body))
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what ran (-want +got):\n%s", diff)
	}
	if n := documents(t, s.markers, "done/tasks/"); n != len(want) || q.left() != 0 {
		t.Errorf("%d markers, %d left", n, q.left())
	}
}

// twinDies: the task was last the index's that the other has, too, so that it waits.
func twinDies(t *testing.T, q *filledQueue) {
	s := newScene(t, q, "--lease=2s")
	q.fill("x")
	first := s.start(0, s.slow())
	appears(t, s.path("began.0"))
	second := s.start(0, s.slow())
	second.says("JOB_COMPLETION_INDEX")
	first.kill()
	s.touch("go")
	second.ends(0, "task done")
	s.settled(1, "0", "0")
}

// frozen gives a worker that stands still until another has its task.
func frozen(t *testing.T, q *filledQueue) (s *scene, ours, other *pod) {
	s = newScene(t, q, "--lease=1s")
	q.fill("x")
	ours = s.start(0, s.slow())
	appears(t, s.path("began.0"))
	ours.signal(syscall.SIGSTOP)
	other = s.start(1, s.slow(), "--idle-timeout=5s")
	appears(t, s.path("began.1"))
	return s, ours, other
}

// frozenBefore: who comes back finds out that the task is another's, and lets it alone.
func frozenBefore(t *testing.T, q *filledQueue) {
	s, ours, other := frozen(t, q)
	ours.signal(syscall.SIGCONT)
	ours.says("lease is lost")
	s.touch("go.1")
	other.ends(0, "task done")
	ours.ends(0)
	s.settled(1, "0", "1")
}

func frozenAfter(t *testing.T, q *filledQueue) {
	s, ours, other := frozen(t, q)
	s.touch("go.1")
	other.ends(0, "task done")
	ours.signal(syscall.SIGCONT)
	ours.ends(0, "lease is lost")
	s.settled(1, "0", "1")
}

// lastDies: all others find nothing and leave for good; who had the last task comes
// back and finds it, however early.
func lastDies(t *testing.T, q *filledQueue) {
	s := newScene(t, q, "--lease=5s")
	q.fill("x")
	ours := s.start(0, s.slow())
	appears(t, s.path("began.0"))
	other := s.start(1, s.slow())
	if q.patient {
		ours.kill()
		s.touch("go")
		other.ends(0, "task done")
		s.start(0, s.slow()).ends(0, "no task is left")
		s.settled(1, "0", "1")
		return
	}
	other.ends(0, "no task is left")
	ours.kill()
	s.touch("go")
	s.start(0, s.slow()).ends(0, "task done")
	s.settled(1, "0", "0")
}

// behind gives a scene whose workers come to the queue through a line.
func behind(t *testing.T, q *filledQueue, flags ...string) (*scene, *line) {
	l := newLine(t, q.address)
	s := newScene(t, q, flags...)
	for i, f := range s.flags {
		s.flags[i] = strings.ReplaceAll(f, q.address, l.address)
	}
	return s, l
}

// unacknowledged: the queue doesn't learn that a task is done, and delivers it again;
// its marker says that it is.
func unacknowledged(t *testing.T, q *filledQueue) {
	s, l := behind(t, q, "--lease=3s")
	q.fill("x")
	first := s.start(0, s.slow(), "--marker-timeout=1s", "--store-wait=1s")
	appears(t, s.path("began.0"))
	l.cut()
	s.touch("go")
	first.ends(69, "is recorded as done", "acknowledge the task", "it will be delivered again")
	if n := q.left(); n != 1 {
		t.Errorf("%d tasks left, want the one that is done", n)
	}
	l.mend()
	s.start(0, s.slow()).ends(0, "is done already", "task done")
	s.settled(1, "0")
}

func awayAtTake(t *testing.T, q *filledQueue) {
	s, l := behind(t, q, "--lease=10s")
	q.fill("x")
	s.touch("go")
	l.cut()
	p := s.start(0, s.slow())
	p.says("trying again")
	l.mend()
	p.ends(0, "task done")
	s.settled(1, "0")
}

// awayAtKeep: a lease that couldn't be renewed for a while is renewed later, nobody else
// gets the task, and its command doesn't hear of nth's broken connection (SIGPIPE).
func awayAtKeep(t *testing.T, q *filledQueue) {
	s, l := behind(t, q, "--lease=6s")
	q.fill("x")
	p := s.start(0, s.slow())
	appears(t, s.path("began.0"))
	l.cut()
	p.says("renew the task's lease")
	l.mend()
	other := s.start(1, s.slow(), "--max-runtime=7s", "--idle-timeout=1m") // longer than the lease
	other.ends(0)
	s.touch("go")
	p.ends(0, "task done")
	s.settled(1, "0")
}

func awayAtDone(t *testing.T, q *filledQueue) {
	s, l := behind(t, q, "--lease=10s")
	q.fill("x")
	p := s.start(0, s.slow())
	appears(t, s.path("began.0"))
	l.cut()
	s.touch("go")
	p.says("acknowledge the task")
	l.mend()
	p.ends(0, "task done")
	s.settled(1, "0")
}
