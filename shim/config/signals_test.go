package config

import (
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStopSignals: what the platform announces a kill with means stop, unless the flag says
// what does.
func TestStopSignals(t *testing.T) {
	usual := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP}
	for _, tt := range []struct {
		flag, announced []string
		want            []syscall.Signal
	}{
		{nil, nil, usual},
		{nil, []string{"USR2"}, append([]syscall.Signal{syscall.SIGUSR2}, usual...)},
		{[]string{"TERM", "USR1"}, []string{"USR2"}, []syscall.Signal{syscall.SIGTERM, syscall.SIGUSR1}},
	} {
		got, err := (&Process{StopSignals: tt.flag}).SignalConfig(tt.announced...)
		if diff := cmp.Diff(tt.want, got.Stop); err != nil || diff != "" {
			t.Errorf("%q, %q: %v %s", tt.flag, tt.announced, err, diff)
		}
	}
}
