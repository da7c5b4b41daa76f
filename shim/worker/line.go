package worker

import (
	"context"
	"sync"

	"nth/shim/task"
)

// line is which of a worker's places ask the queue. As long as it has tasks each asks for
// itself, at the same time; when it had none, one place asks for all, and the others wait for
// their turn.
type line struct {
	turn   chan struct{}   // who has put one in asks also when the queue had none
	look   chan struct{}   // a word for who has the turn: something has changed
	over   context.Context // ends when no place takes a task any more
	cancel context.CancelFunc

	mu     sync.Mutex
	why    error // for which it is over; nil: nothing is left
	dry    bool  // the queue had none when it was asked last
	asking int   // places that ask now
	busy   int   // these, and those that have a task
	begun  int   // tasks that places have or had, and those that they ask for
}

func newLine() *line {
	l := &line{turn: make(chan struct{}, 1), look: make(chan struct{}, 1)}
	l.over, l.cancel = context.WithCancel(context.Background())
	return l
}

// end lets no place take another task; the first error counts, also that of a task which another
// place has still when there is none to take any more.
func (l *line) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == nil {
		l.why = err
	}
	l.cancel()
}

// failed tells whether it was ended with an error: what a place has taken meanwhile goes back
// then, and else it is what the others found that there would be no more than.
func (l *line) failed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why != nil
}

// enter begins to ask, unless one more task than this would be begun: then it tells whether
// that may yet change, as another place asks that may be given none. 0: there is no limit.
func (l *line) enter(most int) (may, later bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if most > 0 && l.begun >= most {
		return false, l.asking > 0
	}
	l.asking++
	l.busy++
	l.begun++
	select {
	case <-l.look: // that is done now
	default:
	}
	return true, false
}

// answered: there was a task for who asked, or none. One that can only be buried isn't begun.
// One who asks for itself alone gives a word to who asks for all.
func (l *line) answered(t *task.Task, forAll bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asking--
	if t == nil || t.Aside != "" {
		l.begun--
	}
	if l.dry = t == nil; l.dry {
		l.busy--
		if !forAll {
			l.changed()
		}
	}
}

// leave is the end of what is done with a task.
func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	l.changed()
}

func (l *line) changed() {
	select {
	case l.look <- struct{}{}:
	default:
	}
}

// alone tells whether no other place asks or has a task.
func (l *line) alone() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy == 1
}

// waits tells whether it is left to who has the turn to ask.
func (l *line) waits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dry
}
