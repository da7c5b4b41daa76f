package program

import (
	"io"
	"strings"
	"testing"
	"time"

	"nth/shim/logs"
	"nth/shim/store"
)

// Documents counts what is under a prefix in a directory of markers, which needn't be there.
func Documents(t *testing.T, markers, prefix string) (n int) {
	t.Helper()
	if strings.HasPrefix(markers, "file:") {
		markers += "?create_dir=true"
	}
	s, err := store.Open(t.Context(), markers)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.List(t.Context(), prefix, func(string, int64, time.Time) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// CopyLog writes the newest log of an index to w, and tells how many there are.
func CopyLog(t *testing.T, url string, index int64, w io.Writer) int {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	list, err := logs.Attempts(t.Context(), s, index)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) > 0 {
		if err := list[len(list)-1].Copy(t.Context(), s, time.Minute, w); err != nil {
			t.Fatal(err)
		}
	}
	return len(list)
}

// Log gives the newest log of an index.
func Log(t *testing.T, url string, index int64) string {
	t.Helper()
	var b strings.Builder
	CopyLog(t, url, index, &b)
	return b.String()
}
