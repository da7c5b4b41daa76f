package proc

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestReadInto: what is read is all of the file, whatever room there is.
func TestReadInto(t *testing.T) {
	for _, size := range []int{0, 1, 9, 10, 11, 100_000} {
		want := bytes.Repeat([]byte{'x'}, size)
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, want, 0o666); err != nil {
			t.Fatal(err)
		}
		var room [10]byte
		if got, err := readInto(room[:], path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d, %v", size, len(got), err)
		}
	}
	if _, err := readInto(nil, "/missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := readInto(make([]byte, 10), t.TempDir()); err == nil {
		t.Error("a directory was read")
	}
}
