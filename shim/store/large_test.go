package store

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nth/shim/store/contract"
)

// TestPart: a version that was asked for, or an error.
func TestPart(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s, err := Open(ctx, "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stream(ctx, "a", strings.NewReader("0123456789"), contract.Parts{}); err != nil {
		t.Fatal(err)
	}
	e, err := s.Stat(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Part(ctx, "a", e.Version, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(p)
	if string(body) != "234" || err != nil || p.Size != 10 || p.Version != e.Version {
		t.Errorf("%q, %v, %+v", body, err, p.Entry)
	}
	if err := s.Copy(ctx, "b/c", "a"); err != nil {
		t.Fatal(err)
	}
	if body, err := os.ReadFile(filepath.Join(dir, "b/c")); string(body) != "0123456789" {
		t.Errorf("the copy has %q, %v", body, err)
	}
	if err := s.Put(ctx, "a", []byte("another")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Part(ctx, "a", e.Version, 2, 3); Classify(err) != contract.Exists {
		t.Errorf("of another version: %v", err)
	}
}
