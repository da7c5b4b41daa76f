package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// The manifest is one tree of these, of texts, int64 and bool. It is printed as YAML,
// with the comments, or as JSON.
type (
	// object is a mapping, in its order.
	object []field
	list   []any
	// line is an object or a list that YAML has in one line.
	line struct{ value any }
	// word is a text that is quoted, whatever it is.
	word string
)

// field is one entry of an object.
type field struct {
	key   string
	value any
	note  string // a comment behind it
	above string // a comment in the line above it
}

// pairs gives an object of keys and values by turns. Inlined at each of its calls it
// would be 30 KB.
//
//go:noinline
func pairs(kv ...any) (o object) {
	for i := 0; i < len(kv); i += 2 {
		o = append(o, field{key: kv[i].(string), value: kv[i+1]})
	}
	return o
}

// add appends a field with a comment behind it.
//
//go:noinline
func (o object) add(key string, value any, note string) object {
	return append(o, field{key: key, value: value, note: note})
}

// with appends a field unless its value is empty.
func (o object) with(key string, value any) object {
	if empty(value) {
		return o
	}
	return o.add(key, value, "")
}

func empty(value any) bool {
	switch v := value.(type) {
	case string:
		return v == ""
	case object:
		return len(v) == 0
	case list:
		return len(v) == 0
	}
	return false
}

// MarshalJSON gives the fields in their order.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, f := range o {
		key, err := encode(f.key)
		if err != nil {
			return nil, err
		}
		value, err := encode(f.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, key...), ':'), value...)
	}
	return append(b, '}'), nil
}

// MarshalJSON gives what is in the line.
func (l line) MarshalJSON() ([]byte, error) { return encode(l.value) }

// encode leaves < and > as they are: templates are made of them.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// formatJSON gives the tree as JSON, in lines. What YAML doesn't take as it is
// is escaped, for what reads a manifest may take JSON for YAML.
func formatJSON(o object) ([]byte, error) {
	compact, err := encode(o)
	if err != nil {
		return nil, err
	}
	var b, out bytes.Buffer
	if err := json.Indent(&b, compact, "", "  "); err != nil {
		return nil, err
	}
	for _, r := range b.String() {
		if r == '\n' || r > 0xffff || strconv.IsPrint(r) {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
