package httpapi

import (
	"encoding/json"
	"errors"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// named is how a task is named in calls.
type named struct {
	id, receipt json.RawMessage // as they came: a number goes back as a number
	inURL       string          // its id; "" if it can't stand in one
}

// held is what is kept of the task that this worker took last, as long as something may
// be said of it once more: nothing of its payload.
type held struct {
	named
	name, number string // by which it is found, and the receipt of this delivery
	key          string // of the Take
	over         bool   // it isn't ours any more
	unsure       string // the Idempotency-Key of what was said of it, and perhaps heard, with no answer
}

// is tells whether it is this delivery.
func (h *held) is(t *task.Task) bool { return h != nil && h.name == name(t) && h.number == t.Receipt }

// name finds a task among this worker's.
func name(t *task.Task) string {
	if t.ID != "" {
		return "id " + t.ID
	}
	return "receipt " + t.Receipt
}

// lasting is a name that is the same in every delivery.
func lasting(t *task.Task) string {
	if t.ID != "" {
		return "id " + t.ID
	}
	return "payload " + string(t.Payload)
}

// hold: a task was taken. One that was held before, and of which nothing could be told,
// is anybody's when its lease has ended.
func (s *source) hold(t *taken, key string) {
	if s.holds() {
		s.given.Add(s.held.name, time.Now().Add(s.Lease))
	}
	s.held = &held{named: t.named, name: name(t.task), number: t.task.Receipt, key: key}
	s.given.Hold(s.held.name)
}

// free gives up a task that is held: others may take it then, and nobody tells when one
// did.
func (s *source) free(t *task.Task, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held.is(t) {
		s.given.Add(s.held.name, time.Now().Add(after))
		s.held.over = true
	}
}

// unheard: the API may not know what has come of a task, so that it is the end of the lease
// that gives it back; or it does, and the answer is missing.
func (s *source) unheard(c call, t *task.Task, err error) {
	if c.name == "keep" {
		return
	}
	s.free(t, s.Lease)
	if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Unreachable && !errors.Is(err, task.ErrUnasked) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.held.is(t) {
			s.held.unsure = c.key
		}
	}
}

// unsure tells whether a call was made before, to which the answer is missing.
func (s *source) unsure(c call, t *task.Task) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.key != "" && s.held.is(t) && s.held.unsure == c.key
}

// forget: the task is nobody's any more.
func (s *source) forget(t *task.Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given.Forget(name(t))
	if s.held != nil && s.held.name == name(t) {
		s.held.over = true
	}
}

// holds tells whether this worker has a task.
func (s *source) holds() bool { return s.held != nil && !s.held.over }

// attempt gives how many a task has had. Of one that is broken, of which the API doesn't
// tell, they are counted here.
func (s *source) attempt(t *task.Task) int {
	if t.Broken == nil || t.Attempt > 0 {
		return t.Attempt
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.untold.Failures(lasting(t)) + 1
}

// failed: the API knows that a task was given back.
func (s *source) failed(c Call, dead bool) {
	if dead {
		s.forget(c.Task)
		return
	}
	s.free(c.Task, c.Delay)
	if c.Task.Broken != nil && !c.Release {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.untold.Fail(lasting(c.Task), c.Task.Attempt, s.MaxAttempts+1)
	}
}

// keepToItself gives back a task of which the API can't be told: the end of its lease
// does, and without end. When it has had all its attempts, it is given up here.
func (s *source) keepToItself(c Call) (dead bool) {
	if !c.Release {
		s.mu.Lock()
		dead = s.untold.Fail(lasting(c.Task), c.Task.Attempt, s.MaxAttempts)
		s.mu.Unlock()
	}
	if dead {
		s.forget(c.Task)
	} else {
		s.free(c.Task, s.Lease)
	}
	return dead
}
