package httpapi

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/shim/task"
)

// What the statuses of a call on a held task mean before meanings is asked.
var (
	lost = map[string][]int{
		"keep": {http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusPreconditionFailed},
		"done": {http.StatusConflict, http.StatusPreconditionFailed},
		"fail": {http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusPreconditionFailed},
	}
	gone = []int{http.StatusNotFound, http.StatusGone}
)

// Take asks for a task.
func (s *source) Take(ctx context.Context) (*task.Task, error) {
	key, began := s.takeKey(), time.Now()
	asking, err := s.asking()
	if err != nil {
		return nil, err
	}
	asking.key = key
	res, err := s.send(ctx, asking)
	var t *taken
	if err == nil {
		t, err = s.read(ctx, res)
	}
	if err == nil && t != nil {
		err = s.tellable(t.task)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := errors.AsType[*contract.Error](err); !ok || e.Kind != contract.Unreachable {
		s.key = "" // it is answered
	}
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		s.missed(began)
		return nil, nil
	}
	t.key = key
	s.mine[name(t.task)] = t
	return t.task, nil
}

// asking is Take's request, the same for the same Idempotency-Key.
func (s *source) asking() (call, error) {
	runID, _ := json.Marshal(s.RunID)
	return s.with(call{name: "take", method: http.MethodPost, url: s.Settings.Take,
		body: fmt.Sprintf(`{"index":%d,"run_id":%s,"lease_s":%v}`, s.Index, runID, s.Lease.Seconds())}, Call{})
}

// with puts the caller's own body into a call, if there is one.
func (s *source) with(c call, about Call) (call, error) {
	own := s.Body[c.name]
	if own == nil {
		return c, nil
	}
	var err error
	if c.body, err = own(about); err != nil {
		return c, invalid("the body of %s: %w", c.name, err)
	}
	if c.body != "" && !json.Valid([]byte(c.body)) {
		return c, &contract.Error{Kind: contract.Invalid, Cause: fmt.Errorf("the body of %s is no JSON", c.name), Hint: "<< >> gives a value as JSON, a string with its quotes: write none around it"}
	}
	return c, nil
}

// tellable tells whether all can be said of a task that must be: the work would be for
// nothing if that couldn't be told when it is done.
func (s *source) tellable(t *task.Task) error {
	for what, u := range map[string]string{"keep": s.Settings.Keep, "done": s.Settings.Done, "fail": s.Settings.Fail} {
		if _, err := expand(u, t.ID, t.Receipt); err != nil {
			return invalid("%s: %w", what, err)
		}
		if _, err := s.with(call{name: what}, Call{Task: t}); err != nil {
			return err
		}
	}
	return nil
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

// missed: there was nothing to take since then. What this worker gave back before that,
// others have.
func (s *source) missed(began time.Time) {
	for n, t := range s.mine {
		if !t.free.IsZero() && t.free.Before(began) {
			delete(s.mine, n)
		}
	}
}

// name finds a task among this worker's.
func name(t *task.Task) string {
	if t.ID != "" {
		return "id " + t.ID
	}
	return "receipt " + t.Receipt
}

// Keep begins the lease's time anew.
func (s *source) Keep(ctx context.Context, t *task.Task) error {
	res, err := s.tell(ctx, "keep", s.Settings.Keep, Call{Task: t}, map[string]any{"lease_s": s.Lease.Seconds()})
	if err == nil {
		web.Drain(res)
	}
	return err
}

// Done ends a task for good.
func (s *source) Done(ctx context.Context, t *task.Task) error {
	res, err := s.tell(ctx, "done", s.Settings.Done, Call{Task: t}, nil)
	switch {
	case err == nil:
		web.Drain(res)
	case !slices.Contains(gone, status(err)):
		return err
	}
	s.forget(t)
	return nil
}

// Fail gives a task back, or puts it aside.
func (s *source) Fail(ctx context.Context, t *task.Task, f task.Failure) (dead bool, err error) {
	return s.giveBack(ctx, Call{Task: t, Reason: f.Reason, Delay: f.After, Dead: s.MaxAttempts > 0 && t.Attempt >= s.MaxAttempts})
}

// Release gives a task back at once.
func (s *source) Release(ctx context.Context, t *task.Task) error {
	_, err := s.giveBack(ctx, Call{Task: t, Release: true})
	return err
}

func (s *source) giveBack(ctx context.Context, c Call) (dead bool, err error) {
	t := c.Task
	if s.Settings.Fail == "" {
		s.free(t, s.Lease)
		return false, nil
	}
	body := map[string]any{"reason": c.Reason, "after_s": c.Delay.Seconds(), "dead": c.Dead}
	if c.Release {
		body["release"] = true
	}
	res, err := s.tell(ctx, "fail", s.Settings.Fail, c, body)
	if err != nil {
		return false, err
	}
	answer, err := wholeBody(ctx, res, maxAnswer)
	if err != nil {
		return false, err
	}
	var says struct{ Dead *bool }
	if json.Unmarshal(answer, &says) == nil && says.Dead != nil {
		dead = *says.Dead
	} else {
		dead = c.Dead
	}
	if dead {
		s.forget(t)
	} else {
		s.free(t, c.Delay)
	}
	return dead, nil
}

// done are the statuses of success.
var done = []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent}

// tell makes a call on a task that this worker holds, or believes to hold.
func (s *source) tell(ctx context.Context, what, url string, about Call, more map[string]any) (*http.Response, error) {
	t := about.Task
	url, err := expand(url, t.ID, t.Receipt)
	if err != nil {
		return nil, invalid("%s: %w", what, err)
	}
	body, key, err := s.body(t, more)
	if err != nil {
		return nil, invalid("%s: %w", what, err)
	}
	c, err := s.with(call{name: what, method: s.methods[what], url: url, body: body}, about)
	if err != nil {
		return nil, err
	}
	if key != "" && what != "keep" { // to keep a task is always a new call
		sum := sha256.Sum256([]byte(c.body))
		c.key = key + "-" + what + "-" + hex.EncodeToString(sum[:8])
	}
	res, err := s.send(ctx, c)
	switch {
	case slices.Contains(lost[what], status(err)):
		s.free(t, 0)
		return nil, task.Lost(fmt.Sprintf("%s: %v", what, errors.Unwrap(err)))
	case err != nil:
		return nil, err
	case !slices.Contains(done, res.StatusCode):
		web.Drain(res)
		return nil, foreign("it is " + res.Status)
	}
	return res, nil
}

// body gives the usual one of a call on a task, and what its Idempotency-Key begins with:
// a repeated call has the same key, and that on the next delivery another.
func (s *source) body(t *task.Task, more map[string]any) (body, key string, err error) {
	doc := map[string]any{"id": t.ID, "receipt": t.Receipt, "attempt": t.Attempt, "index": s.Index, "run_id": s.RunID}
	s.mu.Lock()
	if mine := s.mine[name(t)]; mine != nil && mine.task.Receipt == t.Receipt {
		key = mine.key
		if mine.id != nil {
			doc["id"] = mine.id
		}
		if mine.receipt != nil {
			doc["receipt"] = mine.receipt
		}
	}
	s.mu.Unlock()
	maps.Copy(doc, more)
	text, err := json.Marshal(doc)
	return string(text), key, err
}

// forget: the task is nobody's any more.
func (s *source) forget(t *task.Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mine, name(t))
}

// free: others may take the task then, and nobody tells when one did.
func (s *source) free(t *task.Task, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if mine := s.mine[name(t)]; mine != nil && mine.task.Receipt == t.Receipt {
		mine.free = time.Now().Add(after)
	}
}

// Unfinished asks the API, or else remembers.
func (s *source) Unfinished(ctx context.Context) (bool, error) {
	if s.Settings.Unfinished == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.mine) > 0, nil
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
