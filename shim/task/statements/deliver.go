package statements

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// delivery reads what a take of the user's own gave. Its columns are known also where
// it gave no row, so that a mistake in them isn't found with the first task. Nil: there
// is no task now. One of which a column can't be used is broken.
func (q *Queue) delivery(a *Answer) (*task.Task, *contract.Error) {
	wrong := func(hint, format string, args ...any) (*task.Task, *contract.Error) {
		return nil, &contract.Error{Kind: contract.Malformed, Cause: fmt.Errorf(format, args...), Hint: hint}
	}
	for i, name := range a.Columns {
		if slices.Contains(a.Columns[:i], name) {
			return wrong("call one of them something else with AS", "there are two columns %s", name)
		}
	}
	for _, name := range []string{"id", "payload"} {
		if !slices.Contains(a.Columns, name) {
			return wrong(q.Columns, "there is no column %s, only (%s)", name, strings.Join(a.Columns, ", "))
		}
	}
	switch {
	case a.Row == nil:
		return nil, nil
	case a.Rows > 1:
		return wrong(q.One+"; these come back when their leases end", "it took %d tasks at once", a.Rows)
	}
	t := &task.Task{Payload: []byte{}, Meta: map[string]string{}}
	for i, name := range a.Columns {
		switch v := a.Row[i]; {
		case name == "id":
			if t.ID = string(Content(v)); t.ID == "" {
				t.Broken = &contract.Error{Kind: contract.Malformed, Cause: errors.New("the task has no id")}
			}
		case name == "attempt":
			n, err := strconv.Atoi(string(Content(v)))
			if err != nil || n < 0 {
				t.Broken, n = &contract.Error{Kind: contract.Malformed, Cause: errors.New("the attempt isn't a number")}, 0
			}
			t.Attempt = n
		case name == "payload":
			t.Payload = Content(v)
		case v != nil:
			t.Meta[name] = string(Content(v))
		}
	}
	return t, nil
}

// nameless gives a task without an id a name for messages and markers.
func nameless(t *task.Task) {
	sum := sha256.Sum256(t.Payload)
	t.ID = "sha256:" + hex.EncodeToString(sum[:8])
}

// Copied keeps what is the driver's until its next message.
func Copied(row []driver.Value) []driver.Value {
	row = slices.Clone(row)
	for i, v := range row {
		if b, ok := v.([]byte); ok {
			row[i] = append([]byte{}, b...)
		}
	}
	return row
}

// Content gives a value of any type as the text that the server writes for it, or
// nearly so; bytes stay what they are.
func Content(v any) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	case nil:
		return nil
	case time.Time:
		return v.AppendFormat(nil, time.RFC3339Nano)
	case float32:
		return strconv.AppendFloat(nil, float64(v), 'g', -1, 32)
	case float64:
		return strconv.AppendFloat(nil, v, 'g', -1, 64)
	}
	return fmt.Append(nil, v)
}

// isTrue tells whether a value is neither false, 0 nor NULL.
func (q *Queue) isTrue(v any) bool { return v != nil && v != int64(0) && !q.isFalse(v) }

// isFalse tells whether a value is false.
func (q *Queue) isFalse(v any) bool {
	return v == false || q.Bits && v != nil && strings.Trim(string(Content(v)), "0.\x00") == ""
}
