package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/shim/task"
)

// What the statuses of a call on a held task mean before meanings is asked.
var (
	lost = []struct {
		call string
		by   []int
	}{
		{"keep", []int{http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusPreconditionFailed}},
		{"done", []int{http.StatusConflict, http.StatusPreconditionFailed}},
		{"fail", []int{http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusPreconditionFailed}},
	}
	gone = []int{http.StatusNotFound, http.StatusGone}
)

func isLost(call string, status int) bool {
	for _, l := range lost {
		if l.call == call {
			return slices.Contains(l.by, status)
		}
	}
	return false
}

// insist is how many tasks that were given up here may come in a row before the queue is
// taken to have no others now: one slip of whoever fills it may give many the same id.
const insist = 100

// Take asks for a task. Those that were given up here come again with each end of their
// leases, and others may stand behind them.
func (s *source) Take(ctx context.Context) (*task.Task, error) {
	for range s.untold.Buried() + insist {
		t, again, err := s.take(ctx)
		if !again {
			return t, err
		}
	}
	return nil, nil
}

func (s *source) take(ctx context.Context) (_ *task.Task, again bool, err error) {
	began := time.Now()
	asking, err := s.asking()
	if err != nil {
		return nil, false, err
	}
	if err := s.wait(ctx, asking.name); err != nil {
		return nil, false, err
	}
	ctx, cancel := task.Outlive(ctx)
	defer cancel()
	key := s.takeKey() // which counts from here: the wait may have been longer than a lease
	asking.key = key
	sent := time.Now()
	res, err := s.send(ctx, asking)
	var t *taken
	if err == nil {
		t, err = s.read(ctx, res)
	}
	if err == nil && t != nil && t.task.Broken == nil {
		t.task.Broken, err = s.tellable(t)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := errors.AsType[*contract.Error](err); !ok || e.Kind != contract.Unreachable {
		s.key = "" // it is answered
	}
	switch {
	case err != nil:
		return nil, false, err
	case t == nil:
		s.given.Missed(began)
		return nil, false, nil
	case s.untold.Dead(lasting(t.task)):
		return nil, true, nil
	case s.untold.Full():
		return nil, false, strange("so many tasks came that nothing can be told of that they can't be remembered")
	}
	s.hold(t, key)
	t.task.Sent = sent
	return t.task, false, nil
}

// asking is Take's request, the same for the same Idempotency-Key.
func (s *source) asking() (call, error) {
	runID, _ := json.Marshal(s.RunID)
	return s.with(call{name: "take", method: http.MethodPost, url: s.Settings.Take,
		body: fmt.Sprintf(`{"index":%d,"run_id":%s,"lease_s":%v}`, s.Index, runID, s.Lease.Seconds())}, Call{})
}

// takeKey gives the Idempotency-Key: that of the Take whose answer is missing, as long
// as what it may have taken can still be leased.
func (s *source) takeKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == "" || time.Since(s.keyed) > s.Lease {
		s.key, s.keyed = rand.Text(), time.Now()
	}
	return s.key
}

// Keep begins the lease's time anew.
func (s *source) Keep(ctx context.Context, t *task.Task) error {
	c, err := s.about("keep", s.Settings.Keep, Call{Task: t}, map[string]any{"lease_s": s.Lease.Seconds()})
	if err != nil {
		return err
	}
	res, err := s.tell(ctx, c, t)
	if err == nil {
		web.Drain(res)
	}
	return err
}

// Done ends a task for good.
func (s *source) Done(ctx context.Context, t *task.Task) error {
	c, err := s.about("done", s.Settings.Done, Call{Task: t}, nil)
	if err != nil {
		return err
	}
	res, err := s.tell(ctx, c, t)
	switch {
	case res != nil:
		web.Drain(res)
	case err != nil && !slices.Contains(gone, status(err)):
		return err
	}
	s.forget(t)
	return nil
}

// Fail gives a task back, or puts it aside.
func (s *source) Fail(ctx context.Context, t *task.Task, f task.Failure) (dead bool, err error) {
	return s.giveBack(ctx, Call{Task: t, Reason: f.Reason, Delay: f.After, Dead: s.MaxAttempts > 0 && s.attempt(t) >= s.MaxAttempts})
}

// Release gives a task back at once.
func (s *source) Release(ctx context.Context, t *task.Task) error {
	_, err := s.giveBack(ctx, Call{Task: t, Release: true})
	return err
}

func (s *source) giveBack(ctx context.Context, c Call) (dead bool, err error) {
	t := c.Task
	switch {
	case s.Settings.Fail == "" && t.Broken != nil && s.keepToItself(c):
		return true, nil
	case s.Settings.Fail == "":
		s.free(t, s.Lease)
		return false, task.NoWay("--fail-url")
	}
	body := map[string]any{"reason": c.Reason, "after_s": c.Delay.Seconds(), "dead": c.Dead}
	if c.Release {
		body["release"] = true
	}
	told, err := s.about("fail", s.Settings.Fail, c, body)
	if task.IsUnsayable(err) {
		return s.keepToItself(c), nil
	}
	if err != nil {
		return false, err
	}
	res, err := s.tell(ctx, told, t)
	if err != nil {
		return false, err
	}
	if res == nil {
		s.failed(c, c.Dead)
		return c.Dead, nil
	}
	answer, err := wholeBody(ctx, res, maxAnswer)
	if err != nil {
		s.unheard(told, t, err)
		return false, err
	}
	var says struct{ Dead *bool }
	if json.Unmarshal(answer, &says) == nil && says.Dead != nil {
		dead = *says.Dead
	} else {
		dead = c.Dead
	}
	s.failed(c, dead)
	return dead, nil
}

// done are the statuses of success.
var done = []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent}

// tell makes a call on a task that this worker holds, or believes to hold. Neither an answer
// nor an error: the task isn't held any more, and an earlier try of the same call may be why,
// whose answer was lost.
func (s *source) tell(ctx context.Context, c call, t *task.Task) (*http.Response, error) {
	again := s.unsure(c, t)
	res, err := s.send(ctx, c)
	switch {
	case isLost(c.name, status(err)):
		s.free(t, 0)
		if c.name != "keep" && again {
			return nil, nil
		}
		return nil, task.Lost(fmt.Sprintf("%s: %v", c.name, errors.Unwrap(err)))
	case err != nil:
		s.unheard(c, t, err)
		return nil, err
	case !slices.Contains(done, res.StatusCode):
		web.Drain(res)
		err = foreign("it is " + res.Status)
		s.unheard(c, t, err)
		return nil, err
	}
	return res, nil
}

// Unfinished asks the API, or else remembers.
func (s *source) Unfinished(ctx context.Context) (bool, error) {
	// Of those that were given up here, the API says for ever that they are unfinished.
	if s.Settings.Unfinished == "" || s.untold.Buried() > 0 {
		return s.given.Any(), nil
	}
	res, err := s.send(ctx, call{name: "unfinished", method: http.MethodGet, url: s.Settings.Unfinished})
	if err != nil {
		return false, err
	}
	if res.StatusCode != http.StatusOK {
		web.Drain(res)
		return false, foreign(fmt.Sprint("true or false was asked for, and ", res.Status, " came"))
	}
	body, err := wholeBody(ctx, res, web.MaxError)
	if err != nil {
		return false, err
	}
	var yes *bool
	var doc struct{ Unfinished *bool }
	switch {
	case json.Unmarshal(body, &yes) == nil && yes != nil:
		return *yes, nil
	case json.Unmarshal(body, &doc) == nil && doc.Unfinished != nil:
		return *doc.Unfinished, nil
	}
	return false, foreign("it is neither true nor false")
}
