//go:build linux

package queues

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestWorkerDies: one that is killed at any step comes back and finishes. Its command
// runs again only where nobody can know that it had ended.
func TestWorkerDies(t *testing.T) {
	t.Parallel()
	s3 := servers.StartS3(t)
	s3.Bucket(t, "data")
	for _, kind := range queueKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			q := kind.start(t)
			for n, d := range deaths {
				t.Run(d.step, func(t *testing.T) { diesAndComesBack(t, q, d, s3.Address, fmt.Sprint(kind.name, "-", n)) })
			}
		})
	}
}

// death is where a worker is killed.
type death struct {
	step   string
	method string // of the marker's request, at which it is killed
	handle bool   // the store has carried it out by then
	runs   []string
}

var deaths = []death{
	{"before the command", http.MethodGet, false, []string{"0"}},
	{"while it works", "", false, []string{"0", "0"}},
	{"before the marker", http.MethodPut, false, []string{"0", "0"}},
	{"before the acknowledgement", http.MethodPut, true, []string{"0"}},
}

// diesAndComesBack keeps its markers under a name in the store.
func diesAndComesBack(t *testing.T, q *filledQueue, d death, store, name string) {
	reached := make(chan struct{})
	var killed atomic.Bool
	fault := servers.StartFault(t, store, func(_ int, r *http.Request) servers.Action {
		if killed.Load() || r.Method != d.method || !strings.Contains(r.URL.Path, "/done/tasks/") {
			return nil
		}
		return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
			if d.handle {
				servers.Handle(f, servers.Detached(r))
			}
			close(reached)
			servers.Stall(f, w, r)
		}
	})
	s := newScene(t, q, "--lease=1m")
	s.markers = fmt.Sprintf("s3://data/%s?endpoint=%s&use_path_style=true", name, fault.URL)
	q.fill("x")
	if d.method == "" {
		first := s.start(0, s.slow(), "--lease=4s")
		program.Appears(t, s.path("began.0"))
		first.kill()
		s.touch("go")
	} else {
		s.touch("go")
		first := s.start(0, s.slow(), "--lease=4s")
		select {
		case <-reached:
		case <-first.ended:
			t.Fatal(first.text())
		}
		first.kill()
	}
	killed.Store(true)
	s.start(0, s.slow()).ends(0, "task done")
	s.settled(1, d.runs...)
	s.start(0, s.slow()).ends(0, "no task was found in ")
	s.settled(1, d.runs...)
}

// meetings are of several workers, or one that comes back, at one queue.
var meetings = []struct {
	name string
	do   func(t *testing.T, q *filledQueue)
	// told: only where nth, and not the server, counts the workers that died.
	told bool
}{
	{"two of one index", twins, false},
	{"two of one index, one dies", twinDies, false},
	{"frozen, back before the other is done", frozenBefore, false},
	{"frozen, back after the other is done", frozenAfter, false},
	{"the last task's worker dies", lastDies, false},
	{"every worker dies", allDie, true},
	{"done, and its last worker dies", doneAndDies, true},
	{"the acknowledgement fails", unacknowledged, false},
	{"away at the take", awayAtTake, false},
	{"away at the renewal", awayAtKeep, false},
	{"away at the acknowledgement", awayAtDone, false},
	{"away for longer than the lease", awayTooLong, false},
}

func TestWorkersMeet(t *testing.T) {
	t.Parallel()
	for _, kind := range queueKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			q := kind.start(t)
			for _, m := range meetings {
				if m.told && q.silent {
					continue
				}
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
	if n := program.Documents(t, s.markers, "done/tasks/"); n != len(want) || q.left() != 0 {
		t.Errorf("%d markers, %d left", n, q.left())
	}
}

// twinDies: the task was last the index's that the other has, too, so that it waits.
func twinDies(t *testing.T, q *filledQueue) {
	s := newScene(t, q)
	if q.tied {
		s.settles("30s")
	}
	q.fill("x")
	first := s.start(0, s.slow(), "--lease=4s")
	program.Appears(t, s.path("began.0"))
	second := s.start(0, s.slow(), "--lease=1m")
	second.says("JOB_COMPLETION_INDEX")
	first.kill()
	s.touch("go")
	second.ends(0, "task done")
	s.settled(1, "0", "0")
}

// frozen gives a worker that stands still until another has its task, which does this one
// and no more.
func frozen(t *testing.T, q *filledQueue) (s *scene, ours, other *pod) {
	s = newScene(t, q)
	q.fill("x")
	ours = s.start(0, s.slow(), "--lease=3s")
	program.Appears(t, s.path("began.0"))
	ours.signal(syscall.SIGSTOP)
	other = s.start(1, s.slow(), "--lease=1m", "--idle-timeout=10m", "--max-tasks=1")
	program.Appears(t, s.path("began.1"))
	return s, ours, other
}

// frozenBefore: who comes back finds out that the task is another's, and lets it alone.
func frozenBefore(t *testing.T, q *filledQueue) {
	s, ours, other := frozen(t, q)
	ours.signal(syscall.SIGCONT)
	ours.says(lost)
	s.touch("go.1")
	other.ends(0, "task done")
	ours.ends(0)
	s.settled(1, "0", "1")
	s.unfailed()
}

// What a worker says of a task that it has lost. One that was frozen in the middle of a
// renewal may know it by its own clock alone.
const (
	lost          = "lease is lost"
	lostByWord    = "lease is lost: another worker has it by now"
	lostBySilence = "lease is lost: no renewal was accepted"
)

func frozenAfter(t *testing.T, q *filledQueue) {
	s, ours, other := frozen(t, q)
	s.touch("go.1")
	other.ends(0, "task done")
	ours.signal(syscall.SIGCONT)
	ours.ends(0, lost)
	s.settled(1, "0", "1")
	s.unfailed()
}

// lastDies: all others find nothing and leave for good; who had the last task comes
// back and finds it, however early.
func lastDies(t *testing.T, q *filledQueue) {
	s := newScene(t, q, "--lease=5s")
	q.fill("x")
	ours := s.start(0, s.slow())
	program.Appears(t, s.path("began.0"))
	other := s.start(1, s.slow())
	if q.patient {
		ours.kill()
		s.touch("go")
		other.ends(0, "task done")
		s.start(0, s.slow()).ends(0, "no task was found in ")
		s.settled(1, "0", "1")
		return
	}
	other.ends(0, "no task was found in ")
	ours.kill()
	s.touch("go")
	s.start(0, s.slow()).ends(0, "task done")
	s.settled(1, "0", "0")
}
