package success

import (
	"testing"

	"nth/shim/marker"
	"nth/shim/store"
)

// TestForeignPointer: what somebody else has written beside the markers neither holds up a
// Job's end nor keeps a run busy: a list of indexes that the Job doesn't have is no list.
func TestForeignPointer(t *testing.T) {
	for _, open := range []string{"7", "0-7", "-5", "2-1", "x", "0-9223372036854775806"} {
		stores := &store.Stores{}
		t.Cleanup(stores.Close)
		s, err := stores.Open(t.Context(), "file://"+t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		j := &Job{Markers: s, At: s, Key: document, N: 2}
		if err := s.Put(t.Context(), j.key(), []byte(`{"version": 1, "next": 0, "open": "`+open+`"}`)); err != nil {
			t.Fatal(err)
		}
		for index := range j.N {
			if err := s.Create(t.Context(), marker.Key("done", index), []byte("{}")); err != nil {
				t.Fatal(err)
			}
			wrote, err := j.After(t.Context(), index, true)
			if err != nil || wrote != (index == j.N-1) {
				t.Fatalf("open is %s: after index %d: written %t, %v", open, index, wrote, err)
			}
		}
	}
}
