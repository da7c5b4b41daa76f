package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"nth/shim/store/contract"
)

// TestCopyFile: a copy is the same file where links are, and its content where they aren't.
func TestCopyFile(t *testing.T) {
	dir, other := t.TempDir(), memoryDir(t)
	must(t, "link", os.Symlink(other, filepath.Join(dir, "other")))
	s := open(t, "file://"+dir)
	must(t, "put", s.Put(t.Context(), "from", []byte("0123456789")))
	must(t, "chmod", os.Chmod(filepath.Join(dir, "from"), 0o711))
	must(t, "put", s.Put(t.Context(), "to", []byte("old")))
	must(t, "link", os.Symlink("from", filepath.Join(dir, "symbolic")))
	for range 2 {
		for to, from := range map[string]string{"to": "from", "other/to": "from"} {
			must(t, "copy to "+to, s.Copy(t.Context(), to, from))
			wantBody(t, s, to, []byte("0123456789"))
			if info, err := os.Stat(filepath.Join(dir, to)); err != nil || info.Mode().Perm() != 0o711 {
				t.Errorf("%s has the mode %v, %v", to, info.Mode(), err)
			}
		}
	}
	a, err := os.Stat(filepath.Join(dir, "from"))
	must(t, "stat", err)
	b, err := os.Lstat(filepath.Join(dir, "to"))
	must(t, "stat", err)
	if !os.SameFile(a, b) {
		t.Error("the copy is another file")
	}
	// Who may write where outputs are staged may not have another file published.
	err = s.Copy(t.Context(), "of a link", "symbolic")
	if _, there := os.Lstat(filepath.Join(dir, "of a link")); !errors.Is(err, contract.ErrNotBlob) || there == nil {
		t.Errorf("a link was copied: %v, %v", err, there)
	}
	for _, d := range []string{dir, other} {
		if n := temporaryFiles(t, d); n != 0 {
			t.Errorf("%d temporary files are left", n)
		}
	}
}
