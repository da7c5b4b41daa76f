package end

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
)

// TestParts: a run is given up only while none of its parts is closed, and has been for a
// while; a part that is closed twice is opened at once.
func TestParts(t *testing.T) {
	e := New(config.Messages{})
	a, b := e.Part(), e.Part()
	var got []bool
	look := func() { got = append(got, e.parts.open(0) && !e.taken.Load()) }
	look()
	a.Close()
	b.Close()
	a.Close()
	look()
	a.Reopen()
	look()
	b.Reopen()
	look()
	b.Reopen()
	a.Close()
	look()
	a.Reopen()
	e.Close()
	look()
	if diff := cmp.Diff([]bool{true, false, false, true, false, false}, got); diff != "" {
		t.Errorf("it may be given up (-want +got):\n%s", diff)
	}
	if e = New(config.Messages{}); !e.parts.open(time.Hour) {
		t.Error("one without parts waits for them")
	}
	a = e.Part()
	a.Close()
	a.Reopen()
	if e.parts.open(time.Hour) {
		t.Error("what was closed a moment ago is given up")
	}
}
