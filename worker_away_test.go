//go:build linux

package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"nth/shim/marker"
)

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

// absence is a scene of one queue before, during and after a minute without its server.
type absence struct {
	*scene
	*line
	working, ended, waiting *pod
}

// TestMinuteAway: a server that is away for a minute while one worker is in its command,
// one wants to acknowledge its task, and one wants to take one. The lease is longer, so
// that no task becomes another's. All queues at once, for the minute is a clock's.
func TestMinuteAway(t *testing.T) {
	t.Parallel()
	all := map[string]*absence{}
	for _, kind := range queueKinds {
		s, l := behind(t, kind.start(t), "--lease=3m", "--store-wait=10m") // as nth manifest has it
		s.q.fill("x", "y")
		a := &absence{scene: s, line: l}
		a.working = s.start(0, s.slow(), "--max-tasks=1")
		appears(t, s.path("began.0"))
		a.ended = s.start(1, s.slow(), "--max-tasks=1")
		appears(t, s.path("began.1"))
		all[kind.name] = a
	}
	for _, a := range all {
		a.cut()
		a.touch("go.1")
		a.ended.says("acknowledge the task")
		a.waiting = a.start(2, a.slow())
		a.waiting.says("trying again")
		a.q.fill("z")
	}
	time.Sleep(time.Minute)
	for _, a := range all {
		a.mend()
	}
	for name, a := range all {
		t.Run(name, func(t *testing.T) {
			a.scene.t = t
			appears(t, a.path("began.2"))
			a.touch("go")
			for _, p := range []*pod{a.working, a.ended, a.waiting} {
				p.ends(0)
			}
			a.settled(3, "0", "1", "2")
		})
	}
}

// allDie: a task that kills each of its workers, as one does that is too large for the
// node's memory, leaves no record by them: who finds it at last tells of it.
func allDie(t *testing.T, q *filledQueue) {
	if q.silent {
		return // who counts them is tested with the server
	}
	s, before := newScene(t, q, "--lease=1s", "--max-attempts=2"), q.dead()
	q.fill("x")
	for range 2 {
		p := s.start(0, s.slow())
		appears(t, s.path("began.0"))
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
	if told, _, _ := nth(t, secrets, "status", "--markers="+s.markers); !strings.Contains(told, "1 failed, 1 of them put aside") || !strings.Contains(told, "its worker died") {
		t.Errorf("nth status tells\n%s", told)
	}
}

// doneAndDies: after its last attempt a task may be done without the queue's knowing. It
// is put aside then, but nothing failed.
func doneAndDies(t *testing.T, q *filledQueue) {
	if q.silent {
		return
	}
	s, l := behind(t, q, "--lease=3s", "--max-attempts=1")
	q.fill("x")
	first := s.start(0, s.slow(), "--marker-timeout=1s", "--store-wait=1s")
	appears(t, s.path("began.0"))
	l.cut()
	s.touch("go")
	first.ends(69, "is recorded as done")
	l.mend()
	s.start(0, s.slow(), "--idle-timeout=4s").ends(0, "put aside, though it is done")
	if n := len(s.read("failed/tasks")); n != 0 {
		t.Errorf("%d failures, want none: %s", n, s.read("failed/tasks"))
	}
}
