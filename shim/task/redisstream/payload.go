package redisstream

import (
	"bytes"
	"encoding/json"

	"github.com/gomodule/redigo/redis"

	"nth/shim/task"
)

// fill gives a task what its entry's fields say: the field payload is the payload and
// the others are beside it; without one, all are, as a JSON object. Of a field that
// is there twice, the last one counts.
func fill(t *task.Task, reply any) error {
	fields, err := redis.StringMap(reply, nil)
	if err != nil {
		return err
	}
	if payload, ok := fields["payload"]; ok {
		t.Payload = []byte(payload)
		delete(fields, "payload")
		t.Meta = fields
		return nil
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	err = e.Encode(fields)
	t.Payload = bytes.TrimSuffix(text.Bytes(), []byte("\n"))
	return err
}
