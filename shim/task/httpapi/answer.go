package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/shim/task"
)

// maxAnswer bounds the answer to Take, in bytes: a payload of 10 MiB, each byte escaped.
const maxAnswer = 64 << 20

const hintAnswer = `the answer to take is {"id": …, "payload": …}, or an object that has an id; --task-id makes one of the payload`

// taken is a task as its answer gave it.
type taken struct {
	task *task.Task
	named
}

// read reads the answer to Take. Nil: there is no task.
func (s *source) read(ctx context.Context, res *http.Response) (*taken, error) {
	switch {
	case res.StatusCode == http.StatusNoContent:
		web.Drain(res)
		return nil, nil
	case res.StatusCode != http.StatusOK:
		web.Drain(res)
		return nil, foreign("a task or none was asked for, and " + strconv.Itoa(res.StatusCode) + " came")
	}
	body, err := web.Document(ctx, res, server, maxAnswer)
	if err != nil {
		return nil, hinted(ctx, err)
	}
	return parse(body, s.OwnID)
}

// parse reads a task's document.
func parse(body []byte, ownID bool) (*taken, error) {
	text := bytes.TrimSpace(body)
	switch {
	case string(text) == "null":
		return nil, nil
	case len(text) == 0 && !ownID, web.IsHTML(text):
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
	if _, has := doc["id"]; !has && !ownID {
		return nil, strange("the task has no id, as a string or a number")
	}
	bare.name(doc, ownID)
	envelope := doc["payload"] != nil || doc["payload_base64"] != nil
	if envelope {
		bare.open(doc)
	}
	if !utf8.Valid(text) && (envelope || !ownID) {
		bare.broken(`it is not UTF-8: send such a payload as payload_base64`)
	}
	if bare.task.Broken != nil && bare.task.ID == "" { // something must name it
		content := append(append([]byte{}, doc["payload"]...), doc["payload_base64"]...)
		if !envelope {
			content = text
		}
		sum := sha256.Sum256(content)
		bare.task.ID = "sha256:" + hex.EncodeToString(sum[:8])
	}
	return bare, nil
}

// broken says why nothing can be done with the task.
func (t *taken) broken(why string) {
	if t.task.Broken == nil {
		t.task.Broken = strange(why)
	}
}

// strange is an answer of an API that doesn't do what is written at the package.
func strange(why string) error {
	return &contract.Error{Kind: contract.Malformed, Cause: fmt.Errorf("the answer to take can't be used: %s", why), Hint: hintAnswer}
}

// maxOddID bounds an id that is none and stands for itself all the same, in bytes.
const maxOddID = 200

// name takes what names the task and this delivery. An id of another kind names it in
// messages and markers, and in no URL.
func (t *taken) name(doc map[string]json.RawMessage, ownID bool) {
	raw := doc["id"]
	id, ok := scalar(raw)
	switch {
	case ok && utf8.Valid(raw):
		t.id, t.task.ID, t.inURL = raw, id, id
	case !ownID:
		if t.id = raw; len(raw) < maxOddID && (raw[0] == '[' || raw[0] == '{' || ok) {
			t.task.ID = strings.ToValidUTF8(string(raw), "\uFFFD")
		}
		t.broken("its id is neither a string nor a number")
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
func (of *taken) open(doc map[string]json.RawMessage) {
	t := of.task
	t.Payload = doc["payload"]
	if t.Payload == nil {
		if json.Unmarshal(doc["payload_base64"], &t.Payload) != nil || t.Payload == nil {
			of.broken("payload_base64 is not base64 (RFC 4648, section 4)")
		}
	} else if t.Payload[0] == '"' {
		var s string
		if err := json.Unmarshal(t.Payload, &s); err != nil {
			of.broken("the payload is no string")
		}
		t.Payload = []byte(s)
	}
	if raw := doc["attempt"]; raw != nil && (json.Unmarshal(raw, &t.Attempt) != nil || t.Attempt < 0) {
		t.Attempt = 0
		of.broken("the attempt is not a whole number")
	}
	var meta map[string]json.RawMessage
	if raw := doc["meta"]; raw != nil && json.Unmarshal(raw, &meta) != nil {
		of.broken("meta is not an object")
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
}
