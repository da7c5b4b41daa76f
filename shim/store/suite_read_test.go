package store_test

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gocloud.dev/blob"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/harness"
)

// testParts reads parts of a blob, as a manifest is read by its offset index.
func testParts(t *testing.T, s *store.Store) {
	ctx, body := t.Context(), []byte("0123456789")
	must(t, "put", s.Put(ctx, "parts", body))
	must(t, "put", s.Put(ctx, "nothing", nil))
	for _, c := range []struct {
		key            string
		offset, length int64
		want           string
	}{
		{"parts", 0, -1, "0123456789"}, {"parts", 0, 4, "0123"}, {"parts", 3, 4, "3456"}, {"parts", 9, 1, "9"},
		{"parts", 7, -1, "789"}, {"parts", 7, 100, "789"}, {"parts", 0, 100, "0123456789"}, {"parts", 5, 0, ""}, {"nothing", 0, -1, ""}, {"nothing", 0, 5, ""},
	} {
		r, err := s.Bucket().NewRangeReader(ctx, c.key, c.offset, c.length, nil)
		if err != nil {
			t.Errorf("%s from %d, %d bytes: %v", c.key, c.offset, c.length, err)
			continue
		}
		got, err := io.ReadAll(r)
		if string(got) != c.want || err != nil || c.length != 0 && r.Size() != map[string]int64{"parts": 10}[c.key] {
			t.Errorf("%s from %d, %d bytes: %q of %d, %v; want %q", c.key, c.offset, c.length, got, r.Size(), err, c.want)
		}
		must(t, "close", r.Close())
	}
	_, err := s.Bucket().NewRangeReader(ctx, "absent", 2, 2, nil)
	wantKind(t, "a part of what isn't there", err, contract.Absent)
	_, err = s.Bucket().NewRangeReader(ctx, "absent", 2, 0, nil)
	wantKind(t, "nothing of what isn't there", err, contract.Absent)
}

// testCopy: the store copies by itself, over what is there.
func testCopy(t *testing.T, s *store.Store) {
	ctx := t.Context()
	const from, to = "copy/from here+%", "copy/to/é"
	for _, body := range []string{"first", "second, and longer", ""} {
		must(t, "put", s.Put(ctx, from, []byte(body)))
		must(t, "copy", s.Bucket().Copy(ctx, to, from, nil))
		if got, _, err := s.Read(ctx, to); string(got) != body || err != nil {
			t.Errorf("the copy is %q, %v; want %q", got, err, body)
		}
	}
	wantKind(t, "copy what isn't there", s.Bucket().Copy(ctx, to, "copy/absent", nil), contract.Absent)
	if got, _, err := s.Read(ctx, to); string(got) != "" || err != nil {
		t.Errorf("after a copy that failed: %q, %v", got, err)
	}
}

// watched calls then once so many bytes have been read of it.
type watched struct {
	io.Reader
	left int
	then func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if w.left -= n; w.left <= 0 && w.then != nil {
		w.then()
		w.then = nil
	}
	return n, err
}

// testUnseen: a large blob isn't there, and the one before it still is, until all
// of it has come.
func testUnseen(t *testing.T, s *store.Store) {
	const size = 20 << 20
	look := func(key string, want int64) {
		a, err := s.Bucket().Attributes(t.Context(), key)
		switch {
		case want < 0:
			wantKind(t, key+" in the middle of its writing", err, contract.Absent)
		case err != nil || a.Size != want:
			t.Errorf("%s: %v, %v; want %d bytes", key, a, err, want)
		}
	}
	must(t, "put", s.Put(t.Context(), "unseen/old", []byte("old")))
	for key, before := range map[string]int64{"unseen/new": -1, "unseen/old": 3} {
		looked := false
		source := &watched{io.LimitReader(&pattern{}, size), size - 1, func() {
			looked = true
			look(key, before)
		}}
		must(t, "upload "+key, s.Bucket().Upload(t.Context(), key, source, &blob.WriterOptions{ContentType: "text/plain"}))
		look(key, size)
		if !looked {
			t.Errorf("%s: nobody looked", key)
		}
	}
}

// largeSize is several times what a process may use that writes it, in bytes.
const largeSize, memoryLimit = 256 << 20, 100 << 20

// testMemory: what is written is not held. The program is built as others are: the
// race detector takes many times the memory.
func testMemory(t *testing.T, url string) {
	path := filepath.Join(t.TempDir(), "upload")
	build := exec.Command("go", "build", "-o", path, "./testdata/cmd/upload")
	build.Dir = harness.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := exec.Command(path, url, fmt.Sprint(largeSize), fmt.Sprint(memoryLimit)).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// testHolds: whether there is anything, here and below prefixes with nothing but a "folder".
func testHolds(t *testing.T, s *store.Store, url string) {
	below := func(name string) *store.Store {
		address, parameters, _ := strings.Cut(url, "?")
		return open(t, address+"/"+name+"/?"+parameters)
	}
	if url == "mem://" {
		below = func(string) *store.Store { return open(t, url) }
	}
	if url == "mem://" { // each has a bucket of its own
		if got, err := below("").Holds(t.Context()); got || err != nil {
			t.Errorf("nothing: %v, %v", got, err)
		}
		return
	}
	must(t, "put", s.Put(t.Context(), "holds/a/b.json", []byte("x")))
	if !strings.HasPrefix(url, "file") {
		must(t, "put a folder", s.Put(t.Context(), "holds/nothing/", nil))
	}
	if got, err := below("holds/nothing").Holds(t.Context()); got || err != nil {
		t.Errorf("nothing: %v, %v", got, err)
	}
	for _, name := range []string{"holds", "holds/a"} {
		if got, err := below(name).Holds(t.Context()); !got || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := s.Holds(t.Context()); !got || err != nil {
		t.Errorf("all: %v, %v", got, err)
	}
	must(t, "delete", s.Delete(t.Context(), "holds/a/b.json"))
}
