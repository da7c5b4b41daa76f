package secrets

import (
	"bytes"
	"encoding/json"
	"io"
)

// Writer gives a writer for lines of JSON, as a log is made of, in whose texts no secret
// is left. What isn't one line of JSON is passed on with its secrets hidden as in a text.
func (s *Set) Writer(to io.Writer) io.Writer { return writer{s, to} }

type writer struct {
	set *Set
	to  io.Writer
}

func (w writer) Write(line []byte) (int, error) {
	if len(w.set.All()) == 0 {
		return w.to.Write(line)
	}
	if _, err := w.to.Write(w.set.hideLine(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// hideLine hides secrets in the line's texts, one by one: a short secret may be part of
// what only holds them together.
func (s *Set) hideLine(line []byte) []byte {
	var out bytes.Buffer
	name := ""
	for len(line) > 0 {
		at := bytes.IndexByte(line, '"')
		if at < 0 {
			break
		}
		out.Write(line[:at])
		line = line[at:]
		n := textLen(line)
		literal := line[:n]
		line = line[n:]
		var text string
		switch err := json.Unmarshal(literal, &text); {
		case err != nil:
			out.WriteString(s.Hide(string(literal)))
		case bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte(":")):
			name = text
			out.Write(literal)
		case fixed(name):
			out.Write(literal)
		default:
			out.Write(s.hideText(literal, text))
		}
	}
	out.Write(line)
	return out.Bytes()
}

// fixed are the fields whose texts are nth's own words: a secret that is one of them by
// chance is none there.
func fixed(name string) bool {
	return name == "level" || name == "time" || name == "step" || name == "run_id"
}

func (s *Set) hideText(literal []byte, text string) []byte {
	hidden := s.Hide(text)
	if hidden == text {
		return literal
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(hidden) != nil { // it never fails for a text
		return []byte(`""`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// textLen is how long the JSON text is with which b begins, quotes included.
func textLen(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}
