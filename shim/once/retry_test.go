package once

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
)

// TestPause: between a failure and the next try, a second that is doubled each time.
func TestPause(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 7: time.Minute, 1 << 30: time.Minute} {
		if got := Pause(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// TestPassing: what ends an index, or the Job, is not worth another try.
func TestPassing(t *testing.T) {
	var got []failure.Code
	for code := failure.Code(1); code <= 255; code++ {
		if !Passing(code) {
			got = append(got, code)
		}
	}
	if diff := cmp.Diff([]failure.Code{64, 65, 66, 78}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
