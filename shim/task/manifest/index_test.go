package manifest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/shim/store/contract"
)

// body gives a manifest of so many rows, some of them longer or with line breaks.
func body(rows int) string {
	var b strings.Builder
	b.WriteString("id,text\n")
	for i := range rows {
		if i%700 == 0 {
			fmt.Fprintf(&b, "\n%d,\"a\nb %s\"\r\n", i, strings.Repeat("x", i))
		} else {
			fmt.Fprintf(&b, "%d,text of row %d %s\n", i, i, noise(i))
		}
	}
	return b.String()
}

// noise is what no .gz makes small.
func noise(i int) string {
	sum := sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
	return hex.EncodeToString(sum[:])
}

func wantRow(i int64) string {
	if i%700 == 0 {
		return fmt.Sprintf(`{"id":"%d","text":"a\nb %s"}`, i, strings.Repeat("x", int(i)))
	}
	return fmt.Sprintf(`{"id":"%d","text":"text of row %d %s"}`, i, i, noise(int(i)))
}

// parts cuts a text into pieces of so many bytes.
func parts(text string, size int) (all []string) {
	for len(text) > size {
		all, text = append(all, text[:size]), text[size:]
	}
	return append(all, text)
}

// forms are one manifest in all the ways that an index describes.
var forms = map[string]func(text string) string{
	"a.csv":        func(text string) string { return text },
	"one.csv.gz":   func(text string) string { return zipped(text) },
	"many.csv.gz":  func(text string) string { return zipped(parts(text, 5000)...) },
	"tiny.csv.gz":  func(text string) string { return zipped(parts(text, 200)...) },
	"blank.csv":    func(text string) string { return text + strings.Repeat("\n", 100_000) },
	"unended.csv":  func(text string) string { return strings.TrimSuffix(text, "\n") },
	"empty.csv.gz": func(text string) string { return zipped(append(parts(text, 70_000), "", "")...) },
}

const manyRows = 12_345

// some are rows in the first, the last and other blocks, and at their edges.
var some = []int64{0, 1, 699, 700, 999, 1000, 1001, 1999, 5000, 11_999, 12_000, 12_344}

// keys gives what is in a store of markers.
func keys(t testing.TB, s *store.Store) (all []string) {
	t.Helper()
	if err := s.List(t.Context(), "", func(key string, _ int64, _ time.Time) error {
		all = append(all, key)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func checkRows(t testing.TB, m *Manifest, rows ...int64) {
	t.Helper()
	for _, i := range rows {
		row, err := m.Row(t.Context(), i)
		if err != nil || row.Payload() != wantRow(i) {
			t.Fatalf("row %d: %.200s, %v", i, row.Payload(), err)
		}
	}
}

// checkEnd: no row more, and so many in all.
func checkEnd(t testing.TB, m *Manifest) {
	t.Helper()
	for _, i := range []int64{manyRows, manyRows + 5, 1 << 40} {
		_, err := m.Row(t.Context(), i)
		if want := fmt.Sprintf("beyond: there is no row %d: the file has %d, from 0", i, manyRows); kindOf(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if n, err := m.Len(t.Context()); n != manyRows || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}

// checkRange visits a range and sees each row once, in order.
func checkRange(t testing.TB, m *Manifest, from, to int64) {
	t.Helper()
	next := from
	err := m.Rows(t.Context(), from, to, func(i int64, r Row) error {
		if i != next || r.Payload() != wantRow(i) || r.Err != nil {
			return fmt.Errorf("row %d instead of %d: %v", i, next, r)
		}
		next++
		return nil
	})
	if next != to || err != nil {
		t.Fatalf("rows %d to %d: %v at %d", from, to, err, next)
	}
}

// TestIndex: the first reader leaves an index, and all others give the same rows by it.
func TestIndex(t *testing.T) {
	text := body(manyRows)
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			url, s := written(t, name, form(text)), markers(t)
			first, warnings := opened(t, url, s)
			checkRows(t, first, 7)
			index := keys(t, s)
			if len(index) != 1 || !strings.HasPrefix(index[0], "manifest/") || !strings.HasSuffix(index[0], ".idx") {
				t.Fatalf("the store has %q", index)
			}
			before, version, _ := s.Read(t.Context(), index[0])
			for _, i := range some {
				m, w := opened(t, url, s)
				checkRows(t, m, i)
				if v, err := m.look(t.Context()); err != nil || v.index == nil || len(*w) > 0 {
					t.Fatalf("the index is not used: %v %q", err, *w)
				}
			}
			m, more := opened(t, url, s)
			checkEnd(t, m)
			checkRows(t, m, some...)
			for _, r := range [][2]int64{{0, manyRows}, {999, 1001}, {1000, 2000}, {5, 6}, {12_000, manyRows}} {
				checkRange(t, m, r[0], r[1])
				checkRange(t, first, r[0], r[1])
			}
			after, now, _ := s.Read(t.Context(), index[0])
			if version != now || len(*warnings)+len(*more) > 0 {
				t.Errorf("the index was written again: %q %q", *warnings, *more)
			}
			if v, _ := m.look(t.Context()); cmp.Diff(before, after) != "" || len(v.index.blocks) < 13 {
				t.Errorf("%d blocks", len(v.index.blocks))
			}
			without, _ := opened(t, url, nil)
			checkRows(t, without, 3, 12_000)
			checkRange(t, without, 990, 1010)
			checkEnd(t, without)
		})
	}
}

// resealed gives an index its right checksum.
func resealed(b []byte) []byte {
	end := len(b) - 4
	binary.BigEndian.PutUint32(b[end:], crc32.Checksum(b[:end], castagnoli()))
	return b
}

// forged changes an index that is taken apart, and puts it together again.
func forged(change func(x *index)) func(t *testing.T, b []byte, v version, gz bool) []byte {
	return func(t *testing.T, b []byte, v version, gz bool) []byte {
		x, err := decode(b, formats()[".csv"], gz, v)
		if err != nil {
			t.Fatal(err)
		}
		change(x)
		return x.encode(gz)
	}
}

// spoil gives the ways in which an index is none, and what is said of it.
var spoil = []struct {
	name, says string
	change     func(t *testing.T, b []byte, v version, gz bool) []byte
}{
	{"nothing", "cut short", func(*testing.T, []byte, version, bool) []byte { return nil }},
	{"cut by one", "cut short", func(_ *testing.T, b []byte, _ version, _ bool) []byte { return b[:len(b)-1] }},
	{"half", "cut short", func(_ *testing.T, b []byte, _ version, _ bool) []byte { return b[:len(b)/2] }},
	{"half, with a sum", "cut short", func(_ *testing.T, b []byte, _ version, _ bool) []byte { return resealed(b[:len(b)/2]) }},
	{"a bit", "cut short", func(_ *testing.T, b []byte, _ version, _ bool) []byte { b[len(b)/2] ^= 4; return b }},
	{"something else", "cut short", func(*testing.T, []byte, version, bool) []byte { return []byte(`{"schema":1}`) }},
	{"another version of nth", "another version of nth", func(_ *testing.T, b []byte, _ version, _ bool) []byte {
		b[len(indexMagic)]++
		return resealed(b)
	}},
	{"of another file", "another file of rows", forged(func(x *index) { x.of.token += "1" })},
	{"of another size", "another file of rows", forged(func(x *index) { x.of.size++ })},
	{"of another format", "another file of rows", forged(func(x *index) { x.format = "txt" })},
	{"more rows than in its blocks", "cut short", forged(func(x *index) { x.rows++ })},
	{"no rows", "cut short", forged(func(x *index) { x.rows, x.blocks = 0, nil })},
	{"without the last block", "", forged(func(x *index) {
		last := x.blocks[len(x.blocks)-1]
		x.rows -= last.rows
		x.blocks = x.blocks[:len(x.blocks)-1]
		x.blocks[len(x.blocks)-1].length += last.length
	})},
	{"a row moved to the next block", "cut short", forged(func(x *index) { x.blocks[3].rows--; x.blocks[12].rows++ })},
	{"a header that is none", "doesn't fit", forged(func(x *index) { x.header = []byte("id,id") })},
	{"one row more", "doesn't fit", forged(func(x *index) { x.rows++; x.blocks[len(x.blocks)-1].rows++ })},
	{"one row less", "doesn't fit", forged(func(x *index) { x.rows--; x.blocks[len(x.blocks)-1].rows-- })},
	{"blocks moved", "doesn't fit", forged(func(x *index) {
		x.first++
		x.blocks[len(x.blocks)-1].length--
		for i := range x.blocks {
			x.blocks[i].skip++
		}
	})},
	{"other sums", "doesn't fit", forged(func(x *index) {
		for i := range x.blocks {
			x.blocks[i].sum++
		}
	})},
}

// TestBadIndex: an index that isn't right gives no row, and is replaced.
func TestBadIndex(t *testing.T) {
	text := body(manyRows)
	for _, name := range []string{"a.csv", "many.csv.gz"} {
		for _, tt := range spoil {
			t.Run(name+" "+tt.name, func(t *testing.T) {
				url, s := written(t, name, forms[name](text)), markers(t)
				first, _ := opened(t, url, s)
				checkRows(t, first, 7)
				key := keys(t, s)[0]
				good, _, err := s.Read(t.Context(), key)
				if err != nil {
					t.Fatal(err)
				}
				v, _ := first.look(t.Context())
				for what, ask := range map[string]func(*Manifest){
					"last row": func(m *Manifest) { checkRows(t, m, manyRows-1) },
					"end":      func(m *Manifest) { checkEnd(t, m) },
					"range":    func(m *Manifest) { checkRange(t, m, 10_500, manyRows) },
				} {
					if err := s.Put(t.Context(), key, tt.change(t, append([]byte(nil), good...), v.version, first.gz)); err != nil {
						t.Fatal(err)
					}
					m, warnings := opened(t, url, s)
					ask(m)
					now, _, err := s.Read(t.Context(), key)
					if diff := cmp.Diff(good, now); diff != "" || err != nil {
						t.Errorf("%s: the index is not replaced: %v", what, err)
					}
					if len(*warnings) != 1 || !strings.Contains((*warnings)[0], tt.says) {
						t.Errorf("%s: warnings %q, want one of %q", what, *warnings, tt.says)
					}
				}
			})
		}
	}
}

// TestFirstReaders: of many at once all get their rows, and one index is there.
func TestFirstReaders(t *testing.T) {
	url, s := written(t, "a.csv", body(manyRows)), markers(t)
	var all sync.WaitGroup
	for i := range int64(8) {
		m, warnings := opened(t, url, s)
		all.Go(func() {
			row, err := m.Row(context.Background(), i*1500)
			if err != nil || row.Payload() != wantRow(i*1500) || len(*warnings) > 0 {
				t.Errorf("row %d: %v %q", i, err, *warnings)
			}
		})
	}
	all.Wait()
	if k := keys(t, s); len(k) != 1 {
		t.Errorf("%q", k)
	}
}

// TestConcurrent: one manifest serves several commands at once.
func TestConcurrent(t *testing.T) {
	m, _ := opened(t, written(t, "many.csv.gz", forms["many.csv.gz"](body(manyRows))), markers(t))
	var all sync.WaitGroup
	for i := range int64(8) {
		all.Go(func() {
			for n := i; n < manyRows; n += 1999 {
				if row, err := m.Row(context.Background(), n); err != nil || row.Payload() != wantRow(n) {
					t.Errorf("row %d: %v", n, err)
				}
			}
			if n, err := m.Len(context.Background()); n != manyRows || err != nil {
				t.Error(n, err)
			}
		})
	}
	all.Wait()
}

// TestReplaced: who knows the manifest as it was starts over.
func TestReplaced(t *testing.T) {
	for _, index := range []*store.Store{nil, markers(t)} {
		path := filepath.Join(t.TempDir(), "a.csv")
		put := func(content string) {
			if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		}
		put("x,y\n" + strings.Repeat("1,2\n", 2*manyRows))
		m, warnings := opened(t, "file://"+path, index)
		if n, err := m.Len(t.Context()); n != 2*manyRows || err != nil {
			t.Fatal(n, err)
		}
		old, _ := m.Version(t.Context())
		put(body(manyRows))
		checkRows(t, m, some...)
		checkEnd(t, m)
		put(body(2))
		checkRows(t, m, 0, 1)
		if now, err := m.Version(t.Context()); now == old || now == "" || err != nil || len(*warnings) > 0 {
			t.Errorf("version %q, then %q: %v %q", old, now, err, *warnings)
		}
		put("id,text\n")
		if n, err := m.Len(t.Context()); n != 0 || err != nil {
			t.Error(n, err)
		}
	}
}

// TestReplacedWhileRead: rows of two versions are never given together.
func TestReplacedWhileRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	content := []byte(body(manyRows))
	write := func() {
		if err := os.WriteFile(path, content, 0o600); err != nil { // in place
			t.Fatal(err)
		}
	}
	write()
	m, _ := opened(t, "file://"+path, markers(t))
	visits := 0
	err := m.Rows(t.Context(), 0, 10, func(i int64, _ Row) error {
		visits++
		if i == 5 {
			content[len(content)-2] = '!'
			write()
		}
		return nil
	})
	if store.Classify(err) != contract.Unreachable || !strings.Contains(err.Error(), "replaced while it was read") || visits != 10 {
		t.Errorf("%d visits, %v", visits, err)
	}
	if k := keys(t, m.index); len(k) > 0 {
		t.Errorf("an index of it is kept: %q", k)
	}
}

// TestQuotesByIndex: the index of a .tsv counts lines, whatever quotes are in them, and
// one that was made when a quote took lines together is another file.
func TestQuotesByIndex(t *testing.T) {
	var b strings.Builder
	b.WriteString("id\ttext\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "%d\t%sthe text of a row %d\n", i, []string{"", `"`}[i%7/6], i)
	}
	url, s := written(t, "a.tsv", b.String()), markers(t)
	for range 2 { // the first writes the index
		m, warnings := opened(t, url, s)
		for _, i := range []int64{0, 6, 7, 999, 1000, 4998, 4999} {
			row, err := m.Row(t.Context(), i)
			if err != nil || row.Fields["id"] != fmt.Sprint(i) || !strings.HasSuffix(row.Fields["text"], fmt.Sprintf("the text of a row %d", i)) {
				t.Errorf("row %d: %v, %v", i, row.Fields, err)
			}
		}
		v, err := m.look(t.Context())
		if n, e := m.Len(t.Context()); n != 5000 || err != nil || e != nil || len(*warnings) > 0 {
			t.Errorf("%d rows: %v, %v %q", n, err, e, *warnings)
		}
		if of := sha256.Sum256([]byte(strings.Join([]string{m.Show(), "tsv", string(v.token), "\x01"}, "\x00"))); strings.Contains(m.indexKey(v.version), hex.EncodeToString(of[:8])) {
			t.Error("the index has the name of one that was made with other rows")
		}
	}
}
