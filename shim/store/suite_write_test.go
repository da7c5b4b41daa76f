package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"gocloud.dev/blob"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// testLarge: more than S3 takes in one part.
func testLarge(t *testing.T, s *store.Store) {
	const size = 20<<20 + 1
	body := func() io.Reader { return io.LimitReader(&pattern{}, size) }
	sum := func(r io.Reader) string {
		h := sha256.New()
		n, err := io.Copy(h, r)
		if err != nil || n != size {
			t.Errorf("%d bytes, want %d; %v", n, size, err)
		}
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	must(t, "upload", s.Bucket().Upload(t.Context(), "large", body(), &blob.WriterOptions{ContentType: "text/plain", IfNotExist: true}))
	r, err := s.Bucket().NewReader(t.Context(), "large", nil)
	must(t, "read", err)
	defer r.Close()
	if got, want := sum(r), sum(body()); got != want {
		t.Error("what was read differs")
	}
	wantKind(t, "upload again", s.Bucket().Upload(t.Context(), "large", body(), &blob.WriterOptions{ContentType: "text/plain", IfNotExist: true}), contract.Exists)
	_, _, err = s.Read(t.Context(), "large")
	wantKind(t, "read as a document", err, contract.Malformed)
	if code := store.Fail(err, failure.OneIndex, "read", "it").Code; code != 65 {
		t.Errorf("a document that is too large is exit code %d", code)
	}
}

// pattern never ends, and repeats itself only after a while.
type pattern struct{ n uint32 }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		p.n = p.n*1664525 + 1013904223
		b[i] = byte(p.n >> 24)
	}
	return len(b), nil
}

// testBrokenSource: what can't be read to its end is not written at all.
func testBrokenSource(t *testing.T, s *store.Store) {
	broken := errors.New("the source broke")
	for name, before := range map[string]int64{"at once": 0, "early": 100, "late": 18 << 20} {
		key := "broken/" + name
		source := io.MultiReader(io.LimitReader(&pattern{}, before), iotestErrReader{broken})
		if err := s.Bucket().Upload(t.Context(), key, source, &blob.WriterOptions{ContentType: "text/plain"}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasPrefix(s.Show(""), "mem") {
			continue // gocloud's memblob keeps what came; it is for tests alone
		}
		if there, err := s.Exists(t.Context(), key); there || err != nil {
			t.Errorf("%s: half a blob is there: %v, %v", name, there, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Create(ctx, "broken/cancelled", []byte("x")); err == nil {
		t.Error("a write under a context that is over succeeded")
	}
	if there, err := s.Exists(t.Context(), "broken/cancelled"); there || err != nil {
		t.Errorf("cancelled: %v, %v", there, err)
	}
}

type iotestErrReader struct{ err error }

func (r iotestErrReader) Read([]byte) (int, error) { return 0, r.err }

// testSwap: each version is replaced once, by who knows it from its own write or from a read.
func testSwap(t *testing.T, s *store.Store, replaces bool) {
	ctx := t.Context()
	token := func(written contract.Token, err error) contract.Token {
		t.Helper()
		must(t, "swap", err)
		_, read, err := s.Read(ctx, "swap")
		must(t, "read", err)
		if written != "" && written != read {
			t.Errorf("the write says that it is version %q, and the read %q", written, read)
		}
		return read
	}
	first := token(s.Swap(ctx, "swap", []byte("1"), ""))
	_, err := s.Swap(ctx, "swap", []byte("x"), "")
	wantKind(t, "create what is there", err, contract.Exists)
	if !replaces {
		_, err := s.Swap(ctx, "swap", []byte("x"), "version")
		wantKind(t, "replace", err, contract.Unsupported)
		return
	}
	second := token(s.Swap(ctx, "swap", []byte("2"), first))
	_, err = s.Swap(ctx, "swap", []byte("x"), first)
	wantKind(t, "replace what isn't there any more", err, contract.Exists)
	token(s.Swap(ctx, "swap", []byte("3"), second))
	if body, _, err := s.Read(ctx, "swap"); err != nil || string(body) != "3" {
		t.Errorf("%q, %v", body, err)
	}
	must(t, "delete", s.Delete(ctx, "swap"))
	_, err = s.Swap(ctx, "swap", []byte("x"), second)
	wantKind(t, "replace what was deleted", err, contract.Exists)
}
