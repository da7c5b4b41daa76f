package templates

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// Task is the piece of work that a queue gave.
type Task struct {
	ID, Payload string
	Receipt     string // of this one delivery
	Meta        map[string]string
}

// partsOf are the fields that have parts, and the methods that give them: in
// text/template one name can't be both a text and what has fields.
var partsOf = map[string]string{"Task": "TaskParts", "Meta": "MetaParts"}

func (d dot) task() (*Task, error) {
	if d.x.fields.Task == nil {
		return nil, missing("Task", "it needs --tasks")
	}
	return d.x.fields.Task, nil
}

func (d dot) Task() (string, error) {
	t, err := d.task()
	if err != nil {
		return "", err
	}
	return t.Payload, nil
}

func (d dot) TaskID() (string, error) {
	t, err := d.task()
	if err != nil {
		return "", err
	}
	return t.ID, nil
}

// TaskParts gives the fields of a payload that is a JSON object. Numbers stay as they
// are written; null is no value.
func (d dot) TaskParts() (object, error) {
	t, err := d.task()
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(t.Payload)))
	decoder.UseNumber()
	var parts map[string]any
	if err := decoder.Decode(&parts); err != nil || parts == nil || decoder.More() {
		return nil, &Error{Kind: BadForItem, Cause: errors.New("the task's payload is no JSON object"), Hint: "<<.Task>> is all of it"}
	}
	return shown(parts).(object), nil
}

// object and list are shown as the JSON that they were.
type (
	object map[string]any
	list   []any
)

func (o object) String() string { return asJSON(map[string]any(o)) }
func (l list) String() string   { return asJSON([]any(l)) }

func asJSON(v any) string {
	text, err := toJSON(v)
	if err != nil {
		return ""
	}
	return text
}

func shown(v any) any {
	switch v := v.(type) {
	case map[string]any:
		o := object{}
		for name, value := range v {
			if value != nil {
				o[name] = shown(value)
			}
		}
		return o
	case []any:
		l := list{}
		for _, value := range v {
			l = append(l, shown(value))
		}
		return l
	}
	return v
}

func (d dot) MetaParts() (map[string]string, error) {
	t, err := d.task()
	if err != nil {
		return nil, err
	}
	return t.Meta, nil
}

// field is one path of the root. It puts the method that gives parts in the place of
// a field that is asked for one.
func (w *walker) field(path []string) {
	parts := partsOf[path[0]]
	switch {
	case len(path) == 1 && slices.Contains(w.more, path[0]):
		return
	case path[0] == "Shard" && len(path) == 2 && slices.Contains([]string{"Start", "End", "Len"}, path[1]):
		w.usesIndex = true
		return
	case !fieldSet[path[0]] || len(path) > 1 && parts == "" || path[0] == "Meta" && len(path) != 2 || path[0] == "Shard":
		w.unknown(strings.Join(path, "."), "the fields are "+strings.Join(append([]string{fieldNames()}, dotted(w.more)...), " "))
		return
	case len(path) > 1:
		path[0] = parts
	}
	w.usesItem = w.usesItem || path[0] == "Item"
	if path[0] == "Index" || path[0] == "RawIndex" || path[0] == "Item" {
		w.usesIndex = true
	}
	w.usesTask = w.usesTask || path[0] == "Task" || path[0] == "TaskID" || parts != ""
}
