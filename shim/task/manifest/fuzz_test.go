package manifest

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wrong stands for a row with wrong quotes.
var wrong = []string{"wrong"}

// ours splits with pieces as small as a reader can have.
func ours(t *testing.T, content []byte, f format) (rows [][]string) {
	s := newRecords(nil, f, 0)
	s.in = bufio.NewReaderSize(bytes.NewReader(content), 16)
	at := int64(0)
	for {
		rec, err := s.next()
		if rec.start != at || s.at != at+rec.size {
			t.Fatalf("a record from %d, of %d bytes, after %d", rec.start, rec.size, at)
		}
		at += rec.size
		if err == io.EOF {
			break
		}
		fields, why := f.split(rec.raw)
		if why != "" || rec.open {
			fields = wrong
		}
		for i := range fields {
			fields[i] = strings.ReplaceAll(fields[i], "\r\n", "\n") // which encoding/csv does
		}
		rows = append(rows, fields)
	}
	if at != int64(len(content)) {
		t.Fatalf("%d of %d bytes", at, len(content))
	}
	return rows
}

// theirs is what encoding/csv makes of it.
func theirs(content []byte, f format) (rows [][]string) {
	r := csv.NewReader(bytes.NewReader(content))
	r.Comma, r.FieldsPerRecord = rune(f.comma), -1
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			fields = wrong
		}
		rows = append(rows, fields)
	}
}

// FuzzRecords: rows begin and end where encoding/csv says so, after wrong quotes too,
// and have the same fields.
func FuzzRecords(f *testing.F) {
	for _, tt := range table() {
		if len(tt.content) < 1000 {
			f.Add([]byte(tt.content))
		}
	}
	for _, s := range []string{"\"a\r", "\"a\"\r1,\"\nb", "\r", "\"\"\"", "\"a\"\r\r\n\"b\"", "\"0123456789012\"\r\n,\"\"", "a,\"b\r\n\r\n\"\r\n\r"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		want := theirs(content, formats()[".csv"])
		if diff := cmp.Diff(want, ours(t, content, formats()[".csv"])); diff != "" {
			t.Errorf("%q: %s", content, diff)
		}
	})
}

// field is what begins a line of tsv: quotes around a whole field, or text.
var field = regexp.MustCompile(`^(?s:"((?:[^"]|"")*)"|([^\t]*))(\t|$)`)

// FuzzTSV: a row is a line, whatever quotes are in it, and each of its fields is what
// stands between tabs, or in quotes that begin and end it.
func FuzzTSV(f *testing.F) {
	for _, tt := range table() {
		if len(tt.content) < 1000 {
			f.Add([]byte(tt.content))
		}
	}
	for _, s := range []string{"\"a\tb", "\"a\"\"\t\"\n\"", "a\t\"\"\"\"\t", "\"0123456789012\"\r\n\t\"\"", "\"\t\"\t\"", "\"a\"\r\t\r\r\n\r"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var want [][]string
		for _, line := range bytes.Split(content, []byte("\n")) {
			line = bytes.TrimSuffix(line, []byte("\r"))
			if len(line) == 0 {
				continue
			}
			var fields []string
			for more := true; more; {
				m := field.FindSubmatch(line)
				text := string(m[2])
				if m[1] != nil {
					text = strings.ReplaceAll(string(m[1]), `""`, `"`)
				}
				fields = append(fields, strings.ReplaceAll(text, "\r\n", "\n"))
				more, line = len(m[3]) > 0, line[len(m[0]):]
			}
			want = append(want, fields)
		}
		if diff := cmp.Diff(want, ours(t, content, formats()[".tsv"])); diff != "" {
			t.Errorf("%q: %s", content, diff)
		}
	})
}

// FuzzLines: a row of a text is a line that isn't empty.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\n\r\n\nb\r\r\n\"\nc"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var want []string
		for _, line := range strings.Split(string(content), "\n") {
			if line = strings.TrimSuffix(line, "\r"); line != "" {
				want = append(want, line)
			}
		}
		s := newRecords(nil, formats()[".txt"], 0)
		s.in = bufio.NewReaderSize(bytes.NewReader(content), 16)
		var got []string
		for rec, err := s.next(); err != io.EOF; rec, err = s.next() {
			got = append(got, string(rec.raw))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzPayload: the payload is JSON that gives the fields back.
func FuzzPayload(f *testing.F) {
	f.Add("a,b\n1,\"\x00<>\u2028\"\n")
	f.Fuzz(func(t *testing.T, content string) {
		m, _ := opened(t, written(t, "a.csv", content), nil)
		row, err := m.Row(t.Context(), 0)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Error(err)
			}
			return
		}
		var got map[string]string
		if err := json.Unmarshal([]byte(row.Payload()), &got); err != nil || cmp.Diff(row.Fields, got) != "" {
			t.Errorf("%q: %s, %v", content, row.Payload(), err)
		}
	})
}

// thousands tells whether the blocks are those of short rows: whoever forges their
// lengths too can give rows other numbers.
func thousands(x *index) bool {
	return !slices.ContainsFunc(x.blocks[:len(x.blocks)-1], func(b block) bool { return b.rows != blockRows })
}

// FuzzIndexes: whatever an index says, it is refused, or can be read by.
func FuzzIndexes(f *testing.F) {
	text := body(manyRows)
	sources := map[bool]*Manifest{}
	for name, gz := range map[string]bool{"a.csv": false, "many.csv.gz": true} {
		m, _ := opened(f, written(f, name, forms[name](text)), nil)
		if _, err := m.Len(f.Context()); err != nil {
			f.Fatal(err)
		}
		v, _ := m.look(f.Context())
		sources[gz] = m
		f.Add(v.index.encode(gz), gz)
	}
	f.Fuzz(func(t *testing.T, body []byte, gz bool) {
		m := sources[gz]
		v, err := m.version(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// The versions differ from run to run; the figures behind them are the subject.
		head := (&index{of: v, format: indexFormat(m.format, gz), header: []byte("id,text")}).encode(gz)
		start := len(indexMagic) + 1
		if len(body) < start+4 {
			return
		}
		p := parser{b: body[start : len(body)-4]}
		p.text()
		p.number()
		p.text()
		p.text()
		forged := append(append(head[:len(head)-4-3:len(head)-4-3], p.b...), 0, 0, 0, 0)
		x, err := decode(resealed(forged), m.format, gz, v)
		if err != nil {
			return
		}
		again, err := decode(x.encode(gz), m.format, gz, v)
		if err != nil || cmp.Diff(x, again, cmp.AllowUnexported(index{}, block{}, version{})) != "" {
			t.Errorf("it doesn't come back: %v", err)
		}
		for _, i := range []int64{0, 5000, x.rows - 1} {
			err := m.indexed(t.Context(), x, i, i+1, func(i int64, r Row) error {
				if thousands(x) && r.Payload() != wantRow(i) {
					t.Errorf("row %d: %s", i, r.Payload())
				}
				return nil
			})
			if _, own := errors.AsType[*Error](err); err != nil && !own && !distrusted(err) {
				t.Error(err)
			}
		}
	})
}
