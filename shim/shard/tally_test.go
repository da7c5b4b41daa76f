package shard

import (
	"syscall"
	"testing"
	"time"

	"nth/shim/marker"
)

// TestLate: an item that ended well and not because of a stop signal is done; one that a
// stop signal may have ended is neither done nor failed, however that is found out.
func TestLate(t *testing.T) {
	for _, tt := range []struct {
		name  string
		final bool // it is known at once
		by    syscall.Signal
		done  int64
	}{
		{"no signal", true, 0, 2}, {"a signal", true, syscall.SIGTERM, 0}, {"no signal, in the end", false, 0, 2}, {"a signal, in the end", false, syscall.SIGTERM, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := &tally{late: []lately{{1, marker.Done, time.Now()}, {2, marker.Skipped, time.Now()}},
				settled: func(time.Time) (bool, syscall.Signal) { return tt.final, tt.by }}
			if s := l.counted(); tt.final && s.settled != tt.done || !tt.final && s.settled != 0 {
				t.Errorf("%d are settled at first", s.settled)
			}
			l.await(func(time.Time) syscall.Signal { return tt.by })
			s := l.snapshot()
			if s.settled != tt.done || s.done.Len() != tt.done || s.skips != tt.done/2 || s.failures != 0 || len(l.late) != 0 {
				t.Errorf("%d settled, %d skipped, %d failed, %d left; want %d settled", s.settled, s.skips, s.failures, len(l.late), tt.done)
			}
		})
	}
}
