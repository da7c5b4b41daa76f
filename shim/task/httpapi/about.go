package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// about makes a call on a task that this worker holds, or believes to hold.
func (s *source) about(what, url string, of Call, more map[string]any) (call, error) {
	t := of.Task
	s.mu.Lock()
	id, key := t.ID, ""
	doc := map[string]any{"id": t.ID, "receipt": t.Receipt, "attempt": t.Attempt, "index": s.Index, "run_id": s.RunID}
	if h := s.held; h.is(t) {
		id, key = h.inURL, h.key
		if h.id != nil {
			doc["id"] = h.id
		}
		if h.receipt != nil {
			doc["receipt"] = h.receipt
		}
	}
	s.mu.Unlock()
	url, err := expand(url, id, t.Receipt)
	if err != nil {
		return call{}, &task.Unsayable{Why: invalid("%s: %w", what, err)}
	}
	maps.Copy(doc, more)
	body, err := json.Marshal(doc)
	if err != nil {
		return call{}, invalid("%s: %w", what, err)
	}
	c, err := s.with(call{name: what, method: s.methods[what], url: url, body: string(body)}, of)
	if key != "" && what != "keep" { // a repeated call has the same key; to keep a task is always a new one
		sum := sha256.Sum256([]byte(c.body))
		c.key = key + "-" + what + "-" + hex.EncodeToString(sum[:8])
	}
	return c, err
}

// with puts the caller's own body into a call, if there is one.
func (s *source) with(c call, of Call) (call, error) {
	own := s.Body[c.name]
	if own == nil {
		return c, nil
	}
	body, err := own(of)
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return c, &contract.Error{Kind: e.Kind, Cause: fmt.Errorf("the body of %s: %w", c.name, e.Cause), Hint: e.Hint}
	}
	var why *contract.Error
	if err != nil {
		why = invalid("the body of %s: %w", c.name, err)
	} else if body != "" && !json.Valid([]byte(body)) {
		why = noJSON(c.name)
	}
	switch {
	case why != nil && of.Task != nil:
		return c, &task.Unsayable{Why: why}
	case why != nil:
		return c, why
	}
	c.body = body
	return c, nil
}

func noJSON(call string) *contract.Error {
	e := invalid("the body of %s is no JSON", call)
	e.Hint = "<< >> gives a value as JSON, a string with its quotes: write none around it"
	return e
}

// tellable tells whether all can be said of a task that must be: the work would be for
// nothing if that couldn't be told when it is done. What is for another reason than the
// task is an error.
func (s *source) tellable(t *taken) (broken, err error) {
	for _, c := range []struct{ name, url string }{{"keep", s.Settings.Keep}, {"done", s.Settings.Done}, {"fail", s.Settings.Fail}} {
		_, err := expand(c.url, t.inURL, t.task.Receipt)
		if err != nil {
			err = &task.Unsayable{Why: invalid("%s: %w", c.name, err)}
		} else {
			_, err = s.with(call{name: c.name}, Call{Task: t.task})
		}
		if task.IsUnsayable(err) {
			return err, nil
		} else if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// probe is a task with which a body is tried before any is taken.
var probe = task.Task{ID: "0", Receipt: "0", Payload: []byte("{}"), Attempt: 1}

// checkBodies finds a body that is no JSON whatever the task is.
func (s *source) checkBodies() error {
	for _, call := range []string{"keep", "done", "fail"} {
		own := s.Body[call]
		if own == nil {
			continue
		}
		t := probe
		if body, err := own(Call{Task: &t}); err == nil && body != "" && !json.Valid([]byte(body)) {
			return noJSON(call)
		}
	}
	return nil
}
