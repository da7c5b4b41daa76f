package store_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"testing"

	"gocloud.dev/blob"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/harness"
)

// testPins: a version, whoever names it, is read or there is an error; also where no byte is.
func testPins(t *testing.T, s *store.Store) {
	ctx := t.Context()
	for _, body := range []string{"", "0123456789"} {
		key := "pins/of " + body
		must(t, "put", s.Put(ctx, key, []byte(body)))
		stat, err := s.Stat(ctx, key)
		must(t, "stat", err)
		listed, err := s.Entries(key)(ctx)
		must(t, "list", err)
		part, err := s.Part(ctx, key, "", 0, -1)
		must(t, "read", err)
		must(t, "close", part.Close())
		if stat.Version != listed.Version || stat.Version != part.Version || stat.Version == "" {
			t.Fatalf("the version is %q, listed %q, read %q", stat.Version, listed.Version, part.Version)
		}
		size := int64(len(body))
		ranges := []struct {
			offset, n int64
			want      string
		}{{0, -1, body}, {0, 100, body}, {0, 0, ""}, {size, -1, ""}, {size, 5, ""}, {size, 0, ""}, {size / 2, -1, body[size/2:]}, {size / 2, 3, body[size/2 : min(size, size/2+3)]}}
		for _, version := range []string{stat.Version, ""} {
			for _, c := range ranges {
				p, err := s.Part(ctx, key, version, c.offset, c.n)
				if err != nil {
					t.Errorf("%q from %d, %d bytes: %v", body, c.offset, c.n, err)
					continue
				}
				got, err := io.ReadAll(p)
				if string(got) != c.want || err != nil || p.Size != size || p.Version != stat.Version {
					t.Errorf("%q from %d, %d bytes: %q, %v, %+v", body, c.offset, c.n, got, err, p.Entry)
				}
				must(t, "close", p.Close())
			}
		}
		all := func(what string, want contract.Kind) {
			t.Helper()
			for _, c := range ranges {
				p, err := s.Part(ctx, key, stat.Version, c.offset, c.n)
				if err == nil {
					p.Close()
				}
				wantKind(t, what, err, want)
			}
		}
		must(t, "put", s.Put(ctx, key, []byte(body+"another, which is longer")))
		all("a version that was replaced", contract.Exists)
		must(t, "delete", s.Delete(ctx, key))
		all("a version that is gone", contract.Absent)
	}
}

// testOffers: one call of a write's hook offers both the condition and the parts.
func testOffers(t *testing.T, s *store.Store) {
	calls := 0
	must(t, "put", s.Put(t.Context(), "offers", []byte("1")))
	old, err := s.Stat(t.Context(), "offers")
	must(t, "stat", err)
	must(t, "put", s.Put(t.Context(), "offers", []byte("2")))
	write := func() error {
		return s.Bucket().Upload(t.Context(), "offers", strings.NewReader("x"), &blob.WriterOptions{ContentType: "text/plain", BeforeWrite: func(as func(any) bool) error {
			calls++
			var c *contract.Condition
			var p *contract.Parts
			if !as(&c) || !as(&p) {
				t.Errorf("a condition %v, parts %v", c, p)
				return nil
			}
			c.Replaces = contract.Token(old.Version)
			return nil
		}})
	}
	wantKind(t, "replace another version", write(), contract.Exists)
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

// testSums: a store's checksum of a whole blob is its content's, also for who reads a part.
func testSums(t *testing.T, s *store.Store, names bool) {
	for size, how := range map[int]contract.Parts{10: {}, 12 << 20: {Size: 5 << 20, AtOnce: 2}} {
		body, err := io.ReadAll(io.LimitReader(&pattern{}, int64(size)))
		must(t, "make", err)
		must(t, "stream", s.Stream(t.Context(), "sums", bytes.NewReader(body), how))
		stat, err := s.Stat(t.Context(), "sums")
		must(t, "stat", err)
		part, err := s.Part(t.Context(), "sums", stat.Version, 1, 2)
		must(t, "part", err)
		must(t, "close", part.Close())
		for _, sum := range []*uint32{stat.CRC32C, part.CRC32C} {
			if (sum != nil) != names || sum != nil && *sum != crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) {
				t.Errorf("%d bytes: %v, want %d", size, sum, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
			}
		}
	}
}

// testCopyKeeps: a copy has its source's type and metadata, and takes the place of what is there.
func testCopyKeeps(t *testing.T, s *store.Store, described bool) {
	ctx := t.Context()
	must(t, "put", s.Put(ctx, "keeps/to", []byte("what was there")))
	must(t, "put", s.Bucket().Upload(ctx, "keeps/from", strings.NewReader("x"), &blob.WriterOptions{ContentType: "text/csv; charset=utf-8", Metadata: map[string]string{"name": "v 1"}}))
	for range 2 {
		must(t, "copy", s.Copy(ctx, "keeps/to", "keeps/from"))
		a, err := s.Bucket().Attributes(ctx, "keeps/to")
		must(t, "look", err)
		if a.Size != 1 || described && (a.ContentType != "text/csv; charset=utf-8" || a.Metadata["name"] != "v 1") {
			t.Errorf("the copy: %+v", a)
		}
	}
	wantKind(t, "copy what isn't there", s.Copy(ctx, "keeps/to", "keeps/nothing"), contract.Absent)
	wantKind(t, "copy what isn't there to where nothing is", s.Copy(ctx, "keeps/new", "keeps/nothing"), contract.Absent)
}

// patiently is a Parts' Try, as a transfer's is.
func patiently(ctx context.Context, request func(context.Context) error) error {
	return store.Retry(ctx, store.Policy{Window: harness.Patience, Pieces: true}, request, nil)
}

// testModes: the permissions of a file come with its blob, whatever its size is, and with each
// copy; what isn't worth a word isn't written down, and what anybody may have written is none.
func testModes(t *testing.T, s *store.Store, file bool) {
	ctx := t.Context()
	want := func(key string, mode fs.FileMode) {
		t.Helper()
		p, err := s.Part(ctx, key, "", 0, 3)
		must(t, "read", err)
		must(t, "close", p.Close())
		if got := p.Mode; got != mode {
			t.Errorf("%s has the mode %o, want %o", key, got, mode)
		}
	}
	large := bytes.Repeat([]byte("0123456789"), 12<<20/10)
	for name, body := range map[string][]byte{"small": []byte("0123456789"), "large": large} {
		for mode, as := range map[fs.FileMode]fs.FileMode{0o755: 0o755, 0o700: 0o700, 0o444: 0, 0o644: 0, 0: 0} {
			key := fmt.Sprintf("modes/%s %o", name, mode)
			must(t, "stream", s.Stream(ctx, key, bytes.NewReader(body), contract.Parts{AtOnce: 2, Size: 5 << 20, Mode: mode}))
			must(t, "copy", s.Copy(ctx, key+" copy", key))
			if as == 0 && file {
				as = 0o644
			}
			want(key, as)
			want(key+" copy", as)
		}
	}
	must(t, "stream", s.Stream(ctx, "modes/empty", strings.NewReader(""), contract.Parts{Mode: 0o755}))
	want("modes/empty", 0o755)
	if file {
		return
	}
	a, err := s.Bucket().Attributes(ctx, "modes/small 644")
	must(t, "look", err)
	if len(a.Metadata) > 0 {
		t.Errorf("0644 has the metadata %v", a.Metadata)
	}
	for text, mode := range map[string]fs.FileMode{"104755": 0o755, "40755": 0, "rwx": 0, "99999999999999999999": 0} {
		must(t, "put", s.Bucket().Upload(ctx, "modes/other", strings.NewReader("0123456789"), &blob.WriterOptions{ContentType: "text/plain", Metadata: map[string]string{contract.ModeKey: text}}))
		want("modes/other", mode)
	}
}
