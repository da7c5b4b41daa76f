package manifest

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Row is one row of a manifest.
type Row struct {
	Text    string            // as it stands in the file, without the line's end
	Columns []string          // csv and tsv: the header's names
	Fields  map[string]string // csv and tsv: the values, by column; of several without a name none
	Err     error             // an *Error: the row is bad, and the manifest's others may be well
}

// Payload gives the row as a task's payload: of csv and tsv a JSON object, with the
// keys in the columns' order, of all else the line itself.
func (r Row) Payload() string {
	if r.Fields == nil {
		return r.Text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	write := func(s string) {
		_ = e.Encode(s)         // of a string there is no error
		b.Truncate(b.Len() - 1) // the line's end
	}
	b.WriteByte('{')
	for _, c := range r.Columns {
		value, ok := r.Fields[c]
		if !ok {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		write(c)
		b.WriteByte(':')
		write(value)
	}
	b.WriteByte('}')
	return b.String()
}

const (
	hintUTF8  = "save it as UTF-8"
	hintQuote = `a field with a quote in it is written "a ""quoted"" word"`
	hintJSON  = "every line must be one JSON value"
)

// check gives what is wrong with a record whatever is in it.
func (f format) check(rec record) (hint, wrong string) {
	switch {
	case rec.open:
		return hintQuote, "its quotes are never closed"
	case rec.long:
		return "give the command a URL to read from instead", "it has more than 16 MiB"
	case f.comma != 0 || f.json:
		if !utf8.Valid(rec.raw) {
			return hintUTF8, "it is not UTF-8"
		}
	}
	return "", ""
}

// columns reads the header's record.
func (f format) columns(rec record) ([]string, error) {
	if hint, wrong := f.check(rec); wrong != "" {
		return nil, bad(hint, "the header: %s", wrong)
	}
	names, wrong := f.split(rec.raw)
	if wrong != "" {
		return nil, bad(hintQuote, "the header: %s", wrong)
	}
	if f.joined(rec.raw) {
		return nil, bad(hintCR, "the header: a CR stands in it that no LF follows")
	}
	seen := map[string]bool{}
	for _, n := range names {
		if n != "" && seen[n] { // spreadsheets write many without a name, which nobody can mean
			return nil, bad("give each column a name of its own", "the header has the column %q twice", n)
		}
		seen[n] = true
	}
	return names, nil
}

// row reads record i, whose faults become Err.
func (f format) row(i int64, rec record, columns []string) Row {
	r := Row{Text: string(rec.raw), Columns: columns}
	if hint, wrong := f.check(rec); wrong != "" {
		r.Err = badRow(i, hint, "%s", wrong)
		return r
	}
	if f.json && !json.Valid(rec.raw) {
		r.Err = badRow(i, hintJSON, "it is not JSON")
	}
	if f.comma == 0 {
		return r
	}
	values, wrong := f.split(rec.raw)
	switch {
	case wrong != "":
		r.Err = badRow(i, hintQuote, "%s", wrong)
		return r
	case f.joined(rec.raw):
		r.Err = badRow(i, hintCR, "a CR stands in it that no LF follows")
		return r
	case len(values) != len(columns):
		r.Err = badRow(i, "", "it has %d fields, and the header %d", len(values), len(columns))
		return r
	}
	r.Fields = make(map[string]string, len(columns))
	nameless := 0
	for i, c := range columns {
		r.Fields[c] = values[i]
		if c == "" {
			nameless++
		}
	}
	if nameless > 1 {
		delete(r.Fields, "")
	}
	return r
}

// split gives a record's fields, or what is wrong with its quotes.
func (f format) split(raw []byte) (fields []string, wrong string) {
	for {
		field, rest, wrong := f.field(raw)
		if wrong != "" {
			return nil, wrong
		}
		fields = append(fields, field)
		if rest == nil {
			return fields, ""
		}
		raw = rest[1:]
	}
}

// joined tells whether a record holds a line's end outside of quotes: a CR alone, so that
// several rows of one column would be one.
func (f format) joined(raw []byte) bool {
	for bytes.IndexByte(raw, '\r') >= 0 {
		field, rest, wrong := f.field(raw)
		if wrong != "" {
			return false
		}
		text := raw[:len(raw)-len(rest)]
		if string(text) == field && (strayCR(text) || rest != nil && bytes.IndexByte(text, '\r') >= 0) {
			return true // it is text: what stood in quotes has lost them
		}
		if rest == nil {
			return false
		}
		raw = rest[1:]
	}
	return false
}

// field gives the first field, and the rest from the comma on, nil if there is none.
func (f format) field(raw []byte) (field string, rest []byte, wrong string) {
	if len(raw) > 0 && raw[0] == '"' {
		if field, rest, wrong = f.quoted(raw[1:]); f.spans || wrong == "" {
			return field, rest, wrong
		}
	}
	end := bytes.IndexByte(raw, f.comma)
	if end < 0 {
		end, rest = len(raw), nil
	} else {
		rest = raw[end:]
	}
	if f.spans && bytes.IndexByte(raw[:end], '"') >= 0 {
		return "", nil, "a quote stands in a field that doesn't begin with one"
	}
	return string(raw[:end]), rest, ""
}

// quoted reads on behind the opening quote.
func (f format) quoted(raw []byte) (field string, rest []byte, wrong string) {
	var b strings.Builder
	for {
		end := bytes.IndexByte(raw, '"')
		if end < 0 {
			return "", nil, "its quotes are never closed"
		}
		b.Write(raw[:end])
		raw = raw[end+1:]
		switch {
		case len(raw) == 0:
			return b.String(), nil, ""
		case raw[0] == f.comma:
			return b.String(), raw, ""
		case raw[0] != '"':
			return "", nil, "something stands between a closing quote and the field's end"
		}
		b.WriteByte('"')
		raw = raw[1:]
	}
}
