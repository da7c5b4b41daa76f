package proc

import (
	"syscall"
	"testing"
	"time"
)

// TestDrainDoubled: a stop signal that is held back while a command drains isn't passed on for
// being sent twice; a second one is.
func TestDrainDoubled(t *testing.T) {
	for name, tt := range map[string]struct {
		sig    syscall.Signal
		later  time.Duration
		passed bool
	}{
		"doubled": {syscall.SIGTERM, 0, false},
		"another": {syscall.SIGINT, 0, true},
		"later":   {syscall.SIGTERM, Doubled, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSignals(&host{}, SignalConfig{Stop: []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}})
			s.set.phase, s.stop.drains = running, true
			s.handle(syscall.SIGTERM)
			s.stop.first.At = time.Now().Add(time.Hour) // however slow this machine is
			if tt.later > 0 {
				s.stop.first.At = time.Now().Add(-tt.later)
			}
			s.handle(tt.sig)
			if held, passed := s.stop.held, s.stop.while != 0; held != syscall.SIGTERM || passed != tt.passed {
				t.Errorf("held %s, passed on: %v", SignalName(held), passed)
			}
		})
	}
}
