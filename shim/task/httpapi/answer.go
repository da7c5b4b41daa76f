package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/shim/task"
)

// maxAnswer bounds the answer to Take, in bytes: a payload of 10 MiB, each byte escaped.
const maxAnswer = 64 << 20

const hintAnswer = `the answer to take is {"id": …, "payload": …}, or an object that has an id; --task-id makes one of the payload`

// taken is a task as its answer gave it, and what this worker did with it.
type taken struct {
	task        *task.Task
	id, receipt json.RawMessage // as they came: a number goes back as a number
	key         string          // of the Take
	free        time.Time       // since when others may take it; zero: it is held
}

// read reads the answer to Take. Nil: there is no task.
func (s *source) read(ctx context.Context, res *http.Response) (*taken, error) {
	switch {
	case res.StatusCode == http.StatusNoContent:
		web.Drain(res)
		return nil, nil
	case res.StatusCode != http.StatusOK || res.Header.Get("Content-Encoding") != "":
		web.Drain(res)
		return nil, foreign("a task or none was asked for, and " + strconv.Itoa(res.StatusCode) + " " + res.Header.Get("Content-Encoding") + " came")
	}
	endless := res.ContentLength < 0 && len(res.TransferEncoding) == 0 && res.ProtoMajor == 1
	body, err := wholeBody(ctx, res, maxAnswer)
	if err != nil {
		return nil, err
	}
	if endless && !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return nil, foreign("nothing tells where it ends") // an object ends by itself
	}
	return parse(body, s.OwnID)
}

// parse reads a task's document.
func parse(body []byte, ownID bool) (*taken, error) {
	text := bytes.TrimSpace(body)
	switch {
	case string(text) == "null":
		return nil, nil
	case len(text) == 0 && !ownID, isHTML(text):
		return nil, foreign("it is no task")
	}
	bare := &taken{task: &task.Task{Payload: body}}
	var doc map[string]json.RawMessage
	switch err := json.Unmarshal(text, &doc); {
	case err != nil && ownID:
		return bare, nil
	case err != nil && json.Valid(text):
		return nil, strange("it is JSON, but no object")
	case err != nil:
		return nil, foreign("it is not JSON")
	}
	if !utf8.Valid(text) {
		if _, envelope := doc["payload"]; envelope || !ownID {
			return nil, strange(`it is not UTF-8: send such a payload as payload_base64`)
		}
	}
	bare.name(doc)
	if bare.task.ID == "" && !ownID {
		return nil, strange("the task has no id, as a string or a number")
	}
	if doc["payload"] == nil && doc["payload_base64"] == nil {
		return bare, nil
	}
	return bare, open(bare.task, doc)
}

// strange is an answer of an API that doesn't do what is written at the package.
func strange(why string) error {
	return &contract.Error{Kind: contract.Malformed, Cause: fmt.Errorf("the answer to take can't be used: %s", why), Hint: hintAnswer}
}

func isHTML(text []byte) bool {
	for _, begin := range []string{"<!doctype html", "<html"} {
		if len(text) >= len(begin) && bytes.EqualFold(text[:len(begin)], []byte(begin)) {
			return true
		}
	}
	return false
}

// name takes what names the task and this delivery.
func (t *taken) name(doc map[string]json.RawMessage) {
	if id, ok := scalar(doc["id"]); ok {
		t.id, t.task.ID = doc["id"], id
	}
	if receipt, ok := scalar(doc["receipt"]); ok {
		t.receipt, t.task.Receipt = doc["receipt"], receipt
	}
}

// scalar gives a string's text, and a number as it is written: one of 20 digits is no
// float.
func scalar(raw json.RawMessage) (string, bool) {
	var s string
	switch {
	case len(raw) == 0:
		return "", false
	case raw[0] == '"':
		return s, json.Unmarshal(raw, &s) == nil && s != ""
	}
	return string(raw), raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9'
}

// open takes the task out of its envelope.
func open(t *task.Task, doc map[string]json.RawMessage) error {
	t.Payload = doc["payload"]
	if t.Payload == nil {
		if json.Unmarshal(doc["payload_base64"], &t.Payload) != nil || t.Payload == nil {
			return strange("payload_base64 is not base64 (RFC 4648, section 4)")
		}
	} else if t.Payload[0] == '"' {
		var s string
		if err := json.Unmarshal(t.Payload, &s); err != nil {
			return strange("the payload is no string")
		}
		t.Payload = []byte(s)
	}
	if raw := doc["attempt"]; raw != nil && (json.Unmarshal(raw, &t.Attempt) != nil || t.Attempt < 0) {
		return strange("the attempt is not a whole number")
	}
	var meta map[string]json.RawMessage
	if raw := doc["meta"]; raw != nil && json.Unmarshal(raw, &meta) != nil {
		return strange("meta is not an object")
	}
	for name, raw := range meta {
		if t.Meta == nil {
			t.Meta = map[string]string{}
		}
		if t.Meta[name] = string(raw); raw[0] == '"' {
			s, _ := scalar(raw)
			t.Meta[name] = s
		}
	}
	return nil
}
