package claim

import (
	"testing"
	"time"
)

// busy is a clock whose timers never go off, as on a machine that has too much to do.
type busy struct{ now time.Duration }

func (c *busy) Now() time.Duration                   { return c.now }
func (c *busy) After(time.Duration) <-chan time.Time { return nil }

// TestOver: whoever was told that a lease has ended has given up for it. A renewal that comes
// to its end then changes nothing: the run couldn't say why it ended.
func TestOver(t *testing.T) {
	clock := &busy{}
	c := &Claim{Clock: clock, TTL: time.Minute, rules: sound}
	l := &Lease{c: c, lost: make(chan struct{})}
	if l.Over() {
		t.Fatal("it is over at once")
	}
	if clock.now = time.Minute; !l.Over() {
		t.Fatal("it isn't over when its time is")
	}
	if l.held.sent = clock.now; !l.Over() {
		t.Error("it is no longer over, when a late renewal has come through")
	}
}
