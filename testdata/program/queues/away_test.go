//go:build linux

package queues

import (
	"strings"
	"testing"
	"time"

	"nth/testdata/program"
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
	program.Appears(t, s.path("began.0"))
	l.cut()
	s.touch("go")
	first.ends(69, "is recorded as done", q.unacknowledged())
	if n := q.left() - q.dead(); n != 1 {
		t.Errorf("%d tasks left, want the one that is done", n)
	}
	l.mend()
	s.start(0, s.slow()).ends(0, "is done already", "task done")
	s.settled(1, "0")
}

// unacknowledged is what a worker says of a task that is done, and whose queue is away.
func (q *filledQueue) unacknowledged() string {
	if q.tied {
		return "the task is done, and its lease was lost"
	}
	return "it will be delivered again"
}

func awayAtTake(t *testing.T, q *filledQueue) {
	s, l := behind(t, q, "--lease=10s")
	q.fill("x")
	s.touch("go")
	l.cut()
	p := s.start(0, s.slow())
	p.says(`"queue: `)
	p.says("trying again")
	l.mend()
	p.ends(0, "task done")
	s.settled(1, "0")
}

// awayAtKeep: a lease that couldn't be renewed for a while is renewed later, nobody else
// gets the task, and its command doesn't hear of nth's broken connection (SIGPIPE).
func awayAtKeep(t *testing.T, q *filledQueue) {
	s, l := behind(t, q, "--lease=15s")
	q.fill("x")
	p := s.start(0, s.slow())
	program.Appears(t, s.path("began.0"))
	l.cut()
	if q.tied { // nobody can renew it: the server has given it back
		p.says(lost + ": another worker has it by now: with the connection")
		s.unfailed()
		l.mend()
		s.touch("go")
		p.ends(0, "task done")
		s.settled(1, "0", "0")
		return
	}
	p.says("renew the task's lease")
	l.mend()
	other := s.start(1, s.slow(), "--max-runtime=16s", "--idle-timeout=1m") // longer than the lease
	other.ends(0)
	s.touch("go")
	p.ends(0, "task done")
	s.settled(1, "0")
}

// awayTooLong: a worker whose queue says nothing for all of its lease ends its command, for
// another may have the task by then; nobody has failed at it, and it is done when the queue
// is back.
func awayTooLong(t *testing.T, q *filledQueue) {
	s, l := behind(t, q, "--lease=4s", "--store-wait=10m")
	q.fill("x")
	p := s.start(0, s.slow())
	program.Appears(t, s.path("began.0"))
	l.cut()
	if q.tied {
		p.says(lostByWord)
	} else {
		p.says(lostBySilence)
	}
	s.unfailed()
	s.touch("go")
	l.mend()
	p.ends(0, "task done")
	s.settled(1, "0", "0")
	s.unfailed()
}

func awayAtDone(t *testing.T, q *filledQueue) {
	s, l := behind(t, q, "--lease=10s")
	q.fill("x")
	p := s.start(0, s.slow())
	program.Appears(t, s.path("began.0"))
	l.cut()
	s.touch("go")
	p.says(map[bool]string{false: "acknowledge the task", true: q.unacknowledged()}[q.tied])
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
		program.Appears(t, s.path("began.0"))
		a.ended = s.start(1, s.slow(), "--max-tasks=1")
		program.Appears(t, s.path("began.1"))
		all[kind.name] = a
	}
	for _, a := range all {
		a.cut()
		a.touch("go.1")
		a.ended.says(map[bool]string{false: "acknowledge the task", true: a.q.unacknowledged()}[a.q.tied])
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
			program.Appears(t, a.path("began.2"))
			a.touch("go")
			for _, p := range []*pod{a.working, a.ended, a.waiting} {
				p.ends(0)
			}
			runs := []string{"0", "1", "2"}
			if a.q.tied { // the task that was worked at is anybody's, though its command goes on
				runs = append(runs, "2")
			}
			a.settled(3, runs...)
		})
	}
}
