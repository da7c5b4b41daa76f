//go:build linux

package queues

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"nth/testdata/harness"
	"nth/testdata/servers"
)

const word = "only-in-a-task"

// comes waits for the first answer that is held, to this worker.
func (h *held) comes(p *pod) {
	p.t.Helper()
	select {
	case <-h.came:
	case <-p.ended:
		p.t.Fatalf("it ended: %s", p.text())
	case <-time.After(harness.Patience):
		p.t.Fatalf("no answer to a take: %s", p.text())
	}
}

// TestStoppedTake: a stop signal comes while a take has no answer yet. If there is one
// soon, its task is given back; if there is none, nobody says that nothing was taken, and
// the task is there when its lease has ended.
func TestStoppedTake(t *testing.T) {
	t.Parallel()
	for _, kind := range queueKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			q := kind.start(t)
			for _, answered := range []bool{true, false} {
				t.Run(map[bool]string{true: "answered", false: "never answered"}[answered], func(t *testing.T) {
					lease := map[bool]string{true: "--lease=10m", false: "--lease=3s"}[answered]
					s, l := behind(t, q, lease)
					h := l.hold(word)
					letGo := func() {
						if h != nil {
							close(h.letGo)
							h = nil
						}
					}
					defer letGo()
					q.fill(word)
					p := s.start(0, s.slow())
					h.comes(p)
					p.signal(syscall.SIGTERM)
					if answered {
						time.Sleep(500 * time.Millisecond) // the signal is there before the answer, mostly
						letGo()
						p.ends(143, "task given back", "every task that was taken is settled or given back")
					} else {
						p.ends(143, "the last take had no answer")
						if log := p.text(); strings.Contains(log, "every task that was taken") {
							t.Errorf("it says what it can't know: %s", log)
						}
						letGo()
					}
					if t.Failed() {
						return
					}
					l.hold("nothing that comes")
					s.touch("go")
					next := s.start(0, s.slow())
					next.ends(0, "task done")
					if answered && kind.name != "sqs" && kind.name != "rabbitmq" && !strings.Contains(next.text(), `"delivery":1`) { // these count each delivery
						t.Errorf("an attempt is lost: %s", next.text())
					}
					s.settled(1, "0")
				})
			}
		})
	}
}

// TestStoppedUntold: where nobody can be told that a task is given back, that is said.
func TestStoppedUntold(t *testing.T) {
	a := servers.StartTasksAPI(t)
	a.Queue("q")
	q := &filledQueue{flags: []string{"--tasks=" + a.URL("q", "take"), "--keep-url=" + a.URL("q", "tasks/{id}/keep"), "--done-url=" + a.URL("q", "tasks/{id}/done")},
		address: a.Address}
	s, l := behind(t, q)
	h := l.hold(word)
	a.Fill("q", []byte(word))
	p := s.start(0, s.slow())
	h.comes(p)
	p.signal(syscall.SIGTERM)
	time.Sleep(500 * time.Millisecond)
	close(h.letGo)
	p.ends(143, "nobody can be told without --fail-url; it will be delivered again when its lease has ended", "not every task that was taken could be settled or given back")
}
