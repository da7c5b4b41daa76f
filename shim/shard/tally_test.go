package shard

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"nth/shim/marker"
	"nth/shim/proc"
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
			l := &tally{verdicts: verdicts{late: []lately{{1, marker.Done, time.Now()}, {2, marker.Skipped, time.Now()}},
				settled: func(time.Time) (bool, syscall.Signal) { return tt.final, tt.by }}}
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

// TestLooks: what ended well is looked at again as soon as it may be final, and counts from then
// on: no later stop signal takes it back. Of many that end one after the other there isn't a look
// for each. The clock is synctest's.
func TestLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looked time.Time
		looks := 0
		l := &tally{}
		l.settled = func(ended time.Time) (bool, syscall.Signal) { return looked.Sub(ended) >= proc.Settle, 0 }
		l.look = func() {
			l.mu.Lock() // of settled
			defer l.mu.Unlock()
			looked, looks = time.Now(), looks+1
		}
		const items = 1000
		for n := range int64(items) {
			l.mu.Lock()
			l.endedWell(lately{n, marker.Done, time.Now()})
			l.mu.Unlock()
			time.Sleep(time.Millisecond)
		}
		if n := l.counted().settled; n < items-int64(2*proc.Settle/time.Millisecond) {
			t.Errorf("%d of %d are settled", n, items)
		}
		time.Sleep(time.Second)
		if n := l.counted().settled; n != items || looks > items/int(proc.Settle/time.Millisecond)+2 {
			t.Errorf("%d of %d are settled, after %d looks", n, items, looks)
		}
	})
}
