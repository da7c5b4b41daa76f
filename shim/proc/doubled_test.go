package proc

import (
	"syscall"
	"testing"
	"time"
)

// TestDoubles: what is sent twice is one stop; another signal, and the same one later, is a second.
func TestDoubles(t *testing.T) {
	now := time.Now()
	first := First{syscall.SIGTERM, now}
	for _, tt := range []struct {
		sig   syscall.Signal
		after time.Duration
		want  bool
	}{
		{syscall.SIGTERM, 0, true},
		{syscall.SIGTERM, Doubled - 1, true},
		{syscall.SIGTERM, Doubled, false},
		{syscall.SIGINT, 0, false},
	} {
		if got := first.Doubles(tt.sig, now.Add(tt.after)); got != tt.want {
			t.Errorf("%s after %s: %v", SignalName(tt.sig), tt.after, got)
		}
	}
	if (First{}).Doubles(syscall.SIGTERM, now) {
		t.Error("nothing is doubled")
	}
}

// TestNone: that a reader is gone is no first signal.
func TestNone(t *testing.T) {
	for sig, want := range map[syscall.Signal]bool{0: true, syscall.SIGPIPE: true, syscall.SIGINT: false, syscall.SIGTERM: false} {
		if got := (First{Signal: sig}).None(); got != want {
			t.Errorf("%s: %v", SignalName(sig), got)
		}
	}
}
