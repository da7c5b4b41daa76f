package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// object, list and null are shown as the JSON that they were. A field that is null isn't
// in its object; in a list a null keeps its place.
type (
	object map[string]any
	list   []any
	null   string
)

func (o object) String() string { return asJSON(map[string]any(o)) }
func (l list) String() string   { return asJSON([]any(l)) }
func (null) String() string     { return "null" }

// MarshalJSON gives the null that it was.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

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
	case nil:
		return null("")
	}
	return v
}

// fromJSON gives the one value of a text. Numbers stay as they are written.
func fromJSON(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, &Error{Kind: BadForItem, Cause: errors.New("fromJson: the text is no JSON")} // whose fault's text may quote it
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, &Error{Kind: BadForItem, Cause: errors.New("fromJson: something stands behind the JSON")}
	}
	return shown(v), nil
}

// urlDecode reads what forms, S3's events and urlquery write: + is a space.
func urlDecode(s string) (string, error) {
	text, err := url.QueryUnescape(s)
	if err != nil {
		return "", &Error{Kind: BadForItem, Cause: fmt.Errorf("urldecode: %w", err), Hint: "a percent sign itself is written %25"}
	}
	return text, nil
}

// taskParts gives the fields of a payload that is a JSON object.
func (x *execution) taskParts() (object, error) {
	t, err := x.task()
	if err != nil {
		return nil, err
	}
	text := t.Payload
	if t.Fields != "" {
		text = t.Fields
	}
	v, err := fromJSON(text)
	if o, ok := v.(object); ok && err == nil {
		return o, nil
	}
	return nil, &Error{Kind: BadForItem, Cause: errors.New("the task's payload is no JSON object"), Hint: "<<.Task>> is all of it"}
}

// field gives a field of the task, or of a value. One that isn't there, or null, is an error.
func (x *execution) field(name string, of ...any) (any, error) {
	return strict(x.fieldOrUnset(name, of...))
}

// fieldOrUnset gives such an error as a value: for default and required.
func (x *execution) fieldOrUnset(name string, of ...any) (any, error) {
	if len(of) == 0 {
		o, err := x.taskParts()
		if err != nil {
			return nil, err
		}
		if columns := x.fields.Task.Columns; o[name] == nil && columns != nil {
			return unset{noColumn(name, columns, x.fields.Task.Fields != "")}, nil
		}
		return part(name, o), nil
	}
	switch v := of[0].(type) {
	case object:
		return part(name, v), nil
	case unset:
		return v, nil
	case nil, null:
		return unset{&Error{Kind: BadForItem, Cause: fmt.Errorf("there is no field %q of what is null", name)}}, nil
	}
	return nil, &Error{Kind: BadForItem, Cause: fmt.Errorf("there is no field %q of what is no object", name)}
}

// noColumn is the error of a field that no item has.
func noColumn(name string, columns []string, object bool) *Error {
	e := &Error{Kind: Syntax, Cause: fmt.Errorf("the file has no column %q", name), Hint: "it has " + names(columns)}
	if object {
		e.Cause = fmt.Errorf("an object has no field %q", name)
	}
	return e
}

// fieldOrNone gives it as nothing: for conditions.
func (x *execution) fieldOrNone(name string, of ...any) (any, error) {
	return orNothing(x.fieldOrUnset(name, of...))
}

func part(name string, o object) any {
	if v, ok := o[name]; ok {
		return v
	}
	return unset{&Error{Kind: BadForItem, Cause: fmt.Errorf("there is no field %q, or it is null", name), Hint: "there are " + names(slices.Sorted(maps.Keys(o)))}}
}

// names lists names for a person, not more than can be read.
func names(list []string) string {
	const most, longest = 20, 60
	if len(list) == 0 {
		return "none"
	}
	var said []string
	for _, name := range list {
		if len(said) == most {
			return strings.Join(said, ", ") + ", …"
		}
		if name = fmt.Sprintf("%q", name); len(name) > longest {
			name = strings.ToValidUTF8(name[:longest], "") + "…"
		}
		said = append(said, name)
	}
	return strings.Join(said, ", ")
}

// index is text/template's, but for what isn't there: that gives a word with "<no value>".
func index(of any, keys ...any) (any, error) { return strict(indexOrUnset(of, keys...)) }

func indexOrUnset(v any, keys ...any) (any, error) {
	for _, key := range keys {
		if u, ok := v.(unset); ok {
			return u, nil
		}
		if o, ok := v.(object); ok {
			name, ok := key.(string)
			if !ok {
				return nil, fmt.Errorf("an object has names, and no %v", key)
			}
			v = part(name, o)
			continue
		}
		var err error
		if v, err = element(v, key); err != nil {
			return nil, err
		}
	}
	if _, ok := v.(null); ok && len(keys) > 0 {
		return unset{&Error{Kind: BadForItem, Cause: fmt.Errorf("what index gives at %v is null", keys[len(keys)-1])}}, nil
	}
	return v, nil
}

func indexOrNone(of any, keys ...any) (any, error) { return orNothing(indexOrUnset(of, keys...)) }

// element gives one of a list.
func element(of, key any) (any, error) {
	n, err := whole(key)
	if err != nil {
		return nil, err
	}
	var length int
	var at func(int) any
	switch l := of.(type) {
	case nil:
		return unset{&Error{Kind: BadForItem, Cause: errors.New("there is no list")}}, nil
	case list:
		length, at = len(l), func(i int) any { return l[i] }
	case []string:
		length, at = len(l), func(i int) any { return l[i] }
	case string:
		length, at = len(l), func(i int) any { return l[i] }
	default:
		return nil, fmt.Errorf("index is of lists and objects, and not of %T", of)
	}
	if n < 0 || n >= int64(length) {
		return nil, fmt.Errorf("index out of range: %d of %d", n, length)
	}
	return at(int(n)), nil
}

// strict makes of an unset value the error that using it is.
func strict(v any, err error) (any, error) {
	if u, ok := v.(unset); ok && err == nil {
		return nil, u.err
	}
	return v, err
}

// orNothing makes of an unset value none, which is false.
func orNothing(v any, err error) (any, error) {
	if _, ok := v.(unset); ok && err == nil {
		return nil, nil
	}
	return v, err
}
