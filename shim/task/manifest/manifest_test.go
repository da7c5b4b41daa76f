package manifest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// zipped gives a .gz of one member for each part.
func zipped(parts ...string) string {
	var b bytes.Buffer
	for _, p := range parts {
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(p))
		_ = z.Close()
	}
	return b.String()
}

// damaged gives a .gz with a sum that doesn't fit.
func damaged(z string) string {
	b := []byte(z)
	b[len(b)-8] ^= 1
	return string(b)
}

// written gives the URL of a file with this name and content.
func written(t testing.TB, name, content string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "manifest-") // a fuzz test's own has a # in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

func markers(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opened opens a manifest whose warnings are added to what is given back.
func opened(t testing.TB, url string, index *store.Store) (*Manifest, *[]string) {
	t.Helper()
	m, err := Open(context.Background(), new(store.Stores), url, index)
	if err != nil {
		t.Fatal(err)
	}
	var warnings []string
	m.Warn = func(err error) { warnings = append(warnings, err.Error()) }
	t.Cleanup(func() { m.Close() })
	return m, &warnings
}

// kindOf gives an error's meaning, as text for a table.
func kindOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return map[Kind]string{Bad: "bad: ", Beyond: "beyond: "}[e.Kind] + e.Error()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// all gives every row's payload or error, and last why there are no more.
func all(t testing.TB, m *Manifest) (rows []string) {
	t.Helper()
	for i := int64(0); i < 100; i++ {
		row, err := m.Row(t.Context(), i)
		e, own := errors.AsType[*Error](err)
		switch {
		case err == nil:
			p := row.Payload()
			if len(p) > 1000 {
				p = fmt.Sprintf("%d bytes", len(p)) // the difference of two would fill the screen
			}
			rows = append(rows, p)
		case own && e.Kind == Bad && strings.HasPrefix(e.Error(), fmt.Sprintf("row %d: ", i)):
			rows = append(rows, kindOf(err))
		default:
			return append(rows, kindOf(err))
		}
	}
	return rows
}

func end(n int) string {
	return fmt.Sprintf("beyond: there is no row %d: the file has %d, from 0", n, n)
}

type tableRow struct {
	name, file, content string
	want                []string
}

func table() []tableRow {
	long := strings.Repeat("x", maxRow+1)
	return []tableRow{
		{"csv", "a.csv", "id,name\n1,Ann\n2,Bob\n", []string{`{"id":"1","name":"Ann"}`, `{"id":"2","name":"Bob"}`, end(2)}},
		{"the columns' order", "a.csv", "z,a,m\n1,2,3\n", []string{`{"z":"1","a":"2","m":"3"}`, end(1)}},
		{"no last line's end", "a.csv", "id\n1\n2", []string{`{"id":"1"}`, `{"id":"2"}`, end(2)}},
		{"CRLF", "a.csv", "id,b\r\n1,2\r\n\"3\",\"4\"\r\n", []string{`{"id":"1","b":"2"}`, `{"id":"3","b":"4"}`, end(2)}},
		{"CR at the end", "a.csv", "id,b\n1,2\r", []string{`{"id":"1","b":"2"}`, end(1)}},
		{"BOM", "a.csv", "\xEF\xBB\xBFid\n1\n", []string{`{"id":"1"}`, end(1)}},
		{"BOM and quotes", "a.csv", "\xEF\xBB\xBF\"id\"\n1\n", []string{`{"id":"1"}`, end(1)}},
		{"empty lines", "a.csv", "\n\nid\n\n1\n\r\n2\n\n\r\n", []string{`{"id":"1"}`, `{"id":"2"}`, end(2)}},
		{"an empty value", "a.csv", "id\n\"\"\n", []string{`{"id":""}`, end(1)}},
		{"empty values", "a.csv", "a,b\n,\n", []string{`{"a":"","b":""}`, end(1)}},
		{"quotes", "a.csv", "a,b\n\"x, y\",\"say \"\"hi\"\"\"\n", []string{`{"a":"x, y","b":"say \"hi\""}`, end(1)}},
		{"line breaks in quotes", "a.csv", "a,b\n\"x\ny\",\"\r\n\"\n1,2\n", []string{`{"a":"x\ny","b":"\r\n"}`, `{"a":"1","b":"2"}`, end(2)}},
		{"a break in a column's name", "a.csv", "\"a\nb\"\n1\n", []string{`{"a\nb":"1"}`, end(1)}},
		{"NUL", "a.csv", "a\nx\x00y\n", []string{`{"a":"x\u0000y"}`, end(1)}},
		{"no escapes for HTML", "a.csv", "a\n<&>\n", []string{`{"a":"<&>"}`, end(1)}},
		{"UTF-8", "a.csv", "é\nü\n", []string{`{"é":"ü"}`, end(1)}},
		{"spaces stay", "a.csv", "a, b\n 1 ,2 \n", []string{`{"a":" 1 "," b":"2 "}`, end(1)}},
		{"a column without a name", "a.csv", ",b\n1,2\n", []string{`{"":"1","b":"2"}`, end(1)}},
		{"large letters", "A.CSV", "a\n1\n", []string{`{"a":"1"}`, end(1)}},
		{"header only", "a.csv", "id,name\n", []string{end(0)}},
		{"nothing", "a.csv", "", []string{end(0)}},
		{"BOM only", "a.csv", "\xEF\xBB\xBF", []string{end(0)}},
		{"too few fields", "a.csv", "a,b\n1\n1,2\n", []string{"bad: row 0: it has 1 fields, and the header 2", `{"a":"1","b":"2"}`, end(2)}},
		{"too many fields", "a.csv", "a,b\n1,2,\n1,2\n", []string{"bad: row 0: it has 3 fields, and the header 2", `{"a":"1","b":"2"}`, end(2)}},
		{"a column twice", "a.csv", "a,b,a\n1,2,3\n", []string{`bad: the header has the column "a" twice`}},
		{"columns without a name", "a.csv", "a,,\n1,2,3\n4,5\n", []string{`{"a":"1"}`, "bad: row 1: it has 2 fields, and the header 3", end(2)}},
		{"nothing but columns without a name", "a.tsv", "\t\n1\t2\n", []string{`{}`, end(1)}},
		{"a quote inside", "a.csv", "a,b\n1\"2,3\n4,5\n", []string{"bad: row 0: a quote stands in a field that doesn't begin with one", `{"a":"4","b":"5"}`, end(2)}},
		{"text after a quote", "a.csv", "a,b\n\"1\"2,\"3\n4,5\n", []string{"bad: row 0: something stands between a closing quote and the field's end", `{"a":"4","b":"5"}`, end(2)}},
		{"CR after a quote", "a.csv", "a,b\n\"1\"\r2,3\n4,5\n", []string{"bad: row 0: something stands between a closing quote and the field's end", `{"a":"4","b":"5"}`, end(2)}},
		{"a quote that isn't closed", "a.csv", "a\n1\n\"2\n3\n", []string{`{"a":"1"}`, "bad: row 1: its quotes are never closed",
			"bad: row 1: its quotes are never closed, and the rest of the file is within them"}},
		{"a header that isn't closed", "a.csv", "\"a\n1\n", []string{"bad: the header: its quotes are never closed"}},
		{"a header with a quote inside", "a.csv", "a\"\n1\n", []string{"bad: the header: a quote stands in a field that doesn't begin with one"}},
		{"Latin-1", "a.csv", "a\n\xE9\nb\n", []string{"bad: row 0: it is not UTF-8", `{"a":"b"}`, end(2)}},
		{"Latin-1 header", "a.csv", "\xE9\n1\n", []string{"bad: the header: it is not UTF-8"}},
		{"UTF-16", "a.csv", "\xFF\xFEa\x00", []string{"bad: it is UTF-16"}},
		{"UTF-16, the other way", "a.txt", "\xFE\xFF\x00a", []string{"bad: it is UTF-16"}},
		{"gzip without .gz", "a.csv", zipped("a\n1\n"), []string{"bad: it is compressed by gzip, and its name doesn't say so"}},
		{"too long", "a.csv", "a\n1\n" + long + "\n2\n", []string{`{"a":"1"}`, "bad: row 1: it has more than 16 MiB", `{"a":"2"}`, end(3)}},
		{"too long in quotes", "a.csv", "a\n1\n\"" + long + "\n\"\n2\n", []string{`{"a":"1"}`, "bad: row 1: it has more than 16 MiB", `{"a":"2"}`, end(3)}},
		{"as long as may be", "a.txt", long[1:] + "\r\n2\n", []string{"16777216 bytes", "2", end(2)}},
		{"too long by one", "a.txt", long + "\n2", []string{"bad: row 0: it has more than 16 MiB", "2", end(2)}},
		{"too long at the end", "a.txt", "1\n" + long, []string{"1", "bad: row 1: it has more than 16 MiB", end(2)}},

		{"tsv", "a.tsv", "id\tname\n1\tA, B\n", []string{`{"id":"1","name":"A, B"}`, end(1)}},
		{"tsv with quotes", "a.tsv", "id\t\"name\"\n1\t\"x\ty\"\r\n\"2\"\t\"say \"\"hi\"\"\"\n3\t\"\"", []string{`{"id":"1","name":"x\ty"}`, `{"id":"2","name":"say \"hi\""}`, `{"id":"3","name":""}`, end(3)}},
		{"a tsv's row spans no lines", "a.tsv", "id\tname\n1\t\"x\n2\ty\n3\tz\"\n4\t\"\n", []string{`{"id":"1","name":"\"x"}`, `{"id":"2","name":"y"}`, `{"id":"3","name":"z\""}`, `{"id":"4","name":"\""}`, end(4)}},
		{"tsv with quotes that close too early", "a.tsv", "id\tname\n1\t\"a\" and \"b\"\n\"2\"nd\tb\n\"\"\"\tc\n", []string{`{"id":"1","name":"\"a\" and \"b\""}`, `{"id":"\"2\"nd","name":"b"}`, `{"id":"\"\"\"","name":"c"}`, end(3)}},
		{"a tsv's header with a quote", "a.tsv", "\"id\tname\n1\t2\n", []string{`{"\"id":"1","name":"2"}`, end(1)}},
		{"tsv with inches", "a.tsv", "id\tname\n1\t5\" pipe\n2\ta\"b\"\n", []string{`{"id":"1","name":"5\" pipe"}`, `{"id":"2","name":"a\"b\""}`, end(2)}},
		{"ragged tsv", "a.tsv", "id\tname\n1\n2\tb", []string{"bad: row 0: it has 1 fields, and the header 2", `{"id":"2","name":"b"}`, end(2)}},

		{"lines that end in CR", "a.csv", "id,b\r1,2\r3,4\r", []string{"bad: its lines end in CR alone, so that all of it would be one row"}},
		{"lines that end in CR, of a txt", "a.txt", "a\rb", []string{"bad: its lines end in CR alone, so that all of it would be one row"}},
		{"lines that end in CR, of a jsonl", "a.jsonl", "{}\r{}\r", []string{"bad: its lines end in CR alone, so that all of it would be one row"}},
		{"lines that end in CR, of a tsv.gz", "a.tsv.gz", zipped("id\r", "1\r2\r"), []string{"bad: its lines end in CR alone, so that all of it would be one row"}},
		{"one line that ends in CR", "a.txt", "a\r", []string{"a", end(1)}},
		{"rows that end in CR", "a.csv", "id\n1\r2\r3\r\n4\n", []string{"bad: row 0: a CR stands in it that no LF follows", `{"id":"4"}`, end(2)}},
		{"rows that end in CR, of a tsv", "a.tsv", "id\tb\n1\t2\r3\t4\n\"5\r\"\t6\n", []string{"bad: row 0: a CR stands in it that no LF follows", `{"id":"5\r","b":"6"}`, end(2)}},
		{"a CR before a tab", "a.tsv", "id\tb\n1\r\t2\n", []string{"bad: row 0: a CR stands in it that no LF follows", end(1)}},
		{"a header that ends in CR", "a.csv", "id\r1\r2\n3\n", []string{"bad: the header: a CR stands in it that no LF follows"}},
		{"a CR in quotes", "a.csv", "id,b\n\"1\r2\",\"\r\"\n", []string{`{"id":"1\r2","b":"\r"}`, end(1)}},
		{"CR CR LF", "a.csv", "id,b\r\r\n1,2\r\r\n", []string{`{"id":"1","b\r":"2\r"}`, end(1)}},

		{"jsonl", "a.jsonl", "{\"a\":1}\r\n\n[1, 2]\n\"x\"\nnull", []string{`{"a":1}`, `[1, 2]`, `"x"`, `null`, end(4)}},
		{"jsonl with a BOM", "a.jsonl", "\xEF\xBB\xBF{}\n", []string{`{}`, end(1)}},
		{"jsonl that is none", "a.jsonl", "{\"a\":\n1}\n{}\n{} {}\n \n", []string{"bad: row 0: it is not JSON", "bad: row 1: it is not JSON", "{}",
			"bad: row 3: it is not JSON", "bad: row 4: it is not JSON", end(5)}},
		{"jsonl with NUL", "a.jsonl", "\"\x00\"\n1", []string{"bad: row 0: it is not JSON", "1", end(2)}},

		{"txt", "a.txt", "s3://b/x y\n\n\"quoted\n b \r\nc", []string{"s3://b/x y", `"quoted`, " b ", "c", end(4)}},
		{"txt of any bytes", "a.txt", "\xE9\x00\n,\n", []string{"\xE9\x00", ",", end(2)}},
		{"txt with a BOM", "a.txt", "\xEF\xBB\xBFa\nb", []string{"a", "b", end(2)}},

		{"csv.gz", "a.csv.gz", zipped("id,name\n1,Ann\n2,Bob\n"), []string{`{"id":"1","name":"Ann"}`, `{"id":"2","name":"Bob"}`, end(2)}},
		{"many members", "a.tsv.gz", zipped("i", "", "d\n", "1\n2", "", "2\n", ""), []string{`{"id":"1"}`, `{"id":"22"}`, end(2)}},
		{"a BOM in a .gz", "a.txt.gz", zipped("\xEF", "\xBB\xBF", "a"), []string{"a", end(1)}},
		{"jsonl.gz", "a.jsonl.gz", zipped("{}"), []string{"{}", end(1)}},
		{"nothing in a .gz", "a.txt.gz", zipped(""), []string{end(0)}},
		{"no .gz", "a.txt.gz", "plain text, and enough of it", []string{"bad: it is not a whole .gz: gzip: invalid header"}},
		{"an empty .gz", "a.txt.gz", "", []string{"bad: it is not a whole .gz: unexpected EOF"}},
		{"a .gz cut short", "a.txt.gz", zipped("a\nb\n")[:20], []string{"bad: it is not a whole .gz: unexpected EOF"}},
		{"a second member cut short", "a.txt.gz", zipped("a\n", "b\n")[:50], []string{"bad: it is not a whole .gz: unexpected EOF"}},
		{"a .gz with something behind", "a.txt.gz", zipped("a\nb\n") + "something behind", []string{"bad: from byte 28 on stands what is no .gz, behind one that is whole"}},
		{"a .gz with zeros behind", "a.txt.gz", zipped("a\n", "b\n") + strings.Repeat("\x00", 100_000), []string{"a", "b", end(2)}},
		{"a .gz with one zero behind", "a.csv.gz", zipped("id\n1") + "\x00", []string{`{"id":"1"}`, end(1)}},
		{"a .gz with a member behind zeros", "a.txt.gz", zipped("a\nb\n") + "\x00" + zipped("c\n"), []string{"bad: from byte 28 on stands what is no .gz, behind one that is whole"}},
		{"a .gz with half a member behind", "a.txt.gz", zipped("a\n", "b\n")[:27], []string{"bad: it is not a whole .gz: unexpected EOF"}},
		{"a damaged .gz", "a.txt.gz", damaged(zipped("a\nb\n")), []string{"bad: it is not a whole .gz: gzip: invalid checksum"}},
	}
}

// TestRows: every format, and every mistake.
func TestRows(t *testing.T) {
	for _, tt := range table() {
		t.Run(tt.name, func(t *testing.T) {
			url := written(t, tt.file, tt.content)
			for what, index := range map[string]*store.Store{"without an index": nil, "with an index": markers(t)} {
				for range 2 { // the first writes the index
					m, warnings := opened(t, url, index)
					if diff := cmp.Diff(tt.want, all(t, m)); diff != "" || len(*warnings) > 0 {
						t.Fatalf("%s: %.2000s %q", what, diff, *warnings)
					}
				}
			}
		})
	}
}

func TestOpen(t *testing.T) {
	for _, tt := range []struct {
		url  string
		want failure.Code
	}{
		{"file:///tmp/a.csv", 0}, {"file:///tmp/a.txt.gz", 0}, {"file:///tmp/a.csv.zip", 64}, {"file:///tmp/csv", 64}, {"file:///tmp/a.gz", 64},
		{"ftp://host/a.csv", 64}, {"file:///tmp/", 64},
	} {
		m, err := Open(t.Context(), new(store.Stores), tt.url, nil)
		var code failure.Code
		if err != nil {
			code = failure.From(err).Code
		} else {
			m.Close()
		}
		if code != tt.want {
			t.Errorf("%s: %v", tt.url, err)
		}
	}
}

func TestIs(t *testing.T) {
	for url, want := range map[string]bool{"file:///a.csv": true, "s3://b/a.JSONL.gz?region=x": true, "s3://b/a?x=.csv": false, "redis://h/0?queue=a.csv": false,
		"gs://b/a.tsv": true, "azblob://b/a.txt": true, "gs://b/a.parquet": false, "%": false} {
		if Is(url) != want {
			t.Errorf("%s: %t", url, !want)
		}
	}
}

// TestStoreErrors: what the store says of a manifest stays what it is.
func TestStoreErrors(t *testing.T) {
	for url, want := range map[string]contract.Kind{"file://" + t.TempDir() + "/a.csv": contract.Absent, "file:///nowhere/at/all/a.csv": contract.Unreachable} {
		m, _ := opened(t, url, nil)
		for what, err := range map[string]error{
			"row":  func() error { _, err := m.Row(t.Context(), 0); return err }(),
			"rows": m.Rows(t.Context(), 0, 1, ignore),
			"len":  func() error { _, err := m.Len(t.Context()); return err }(),
		} {
			if err == nil || store.Classify(err) != want {
				t.Errorf("%s of %s: %v", what, url, err)
			}
		}
	}
}
