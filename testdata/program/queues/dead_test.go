//go:build linux

package queues

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"nth/shim/marker"
	"nth/testdata/program"
)

// allDie: a task that kills each of its workers, as one does that is too large for the
// node's memory, leaves no record by them: who finds it at last tells of it.
func allDie(t *testing.T, q *filledQueue) {
	s, before := newScene(t, q, "--lease=3s", "--max-attempts=2"), q.dead()
	q.fill("x")
	for range 2 {
		p := s.start(0, s.slow())
		program.Appears(t, s.path("began.0"))
		p.kill()
		if err := os.Remove(s.path("began.0")); err != nil {
			t.Fatal(err)
		}
	}
	const why = "its worker died, or was stopped, in attempt 2 of 2; it was put aside"
	s.start(0, s.slow()).ends(65, why, "1 put aside for failing too often")
	s.buried(before, 1)
	failed := s.read("failed/tasks")
	if len(failed) != 1 {
		t.Fatalf("%d failures, want 1", len(failed))
	}
	var f marker.Failure
	if err := json.Unmarshal(failed[0], &f); err != nil || !f.Dead || f.ExitCode != 65 || f.Task.Attempt != 2 || !strings.Contains(f.Message, why) {
		t.Errorf("%v: the record is %s", err, failed[0])
	}
	if told, _, _ := program.Nth(t, program.Secrets, "status", "--markers="+s.markers); !strings.Contains(told, "1 failed, 1 of them put aside") || !strings.Contains(told, "its worker died") {
		t.Errorf("nth status tells\n%s", told)
	}
}

// doneAndDies: after its last attempt a task may be done without the queue's knowing. It
// is put aside then, but nothing failed.
func doneAndDies(t *testing.T, q *filledQueue) {
	s, l := behind(t, q, "--lease=3s", "--max-attempts=1")
	q.fill("x")
	first := s.start(0, s.slow(), "--marker-timeout=1s", "--store-wait=1s")
	program.Appears(t, s.path("began.0"))
	l.cut()
	s.touch("go")
	first.ends(69, "is recorded as done")
	l.mend()
	s.start(0, s.slow(), "--idle-timeout=4s").ends(0, "put aside, though it is done")
	if n := len(s.read("failed/tasks")); n != 0 {
		t.Errorf("%d failures, want none: %s", n, s.read("failed/tasks"))
	}
}
