package task

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// TestGiven: what was given back is remembered until others must have taken it, and a
// million of them need no more room than a thousand.
func TestGiven(t *testing.T) {
	begin := time.Now()
	var g Given
	if g.Any() {
		t.Error("it isn't empty")
	}
	g.Missed(begin)
	g.Add("a", begin.Add(time.Second))
	g.Add("b", begin.Add(time.Minute))
	g.Missed(begin.Add(2 * time.Second))
	if len(g.free) != 1 || !g.Any() {
		t.Errorf("%v", g.free)
	}
	g.Forget("b")
	if g.Any() {
		t.Errorf("%v", g.free)
	}
	for i := range 1_000_000 {
		g.Add(fmt.Sprint("task ", i), begin.Add(time.Duration(i)))
		if i%1000 == 0 {
			g.Forget(fmt.Sprint("task ", i))
		}
	}
	if len(g.free) != maxGiven || !g.rest.Equal(begin.Add(999_999)) {
		t.Errorf("%d are remembered, the rest until %v", len(g.free), g.rest)
	}
	g.Missed(begin.Add(999_999))
	if !g.Any() {
		t.Error("the last one is forgotten before anybody could have taken it")
	}
	g.Missed(begin.Add(time.Second))
	if g.Any() {
		t.Errorf("%d are remembered, the rest until %v", len(g.free), g.rest)
	}
}

// TestUntold counts what the server can't be told, and as long as it is asked.
func TestUntold(t *testing.T) {
	for _, tt := range []struct {
		name           string
		attempts, most int
		want           int // at which failure it is dead
	}{
		{"counted here", 0, 3, 3}, {"by the server", 1, 3, 1}, {"one attempt", 0, 1, 1}, {"without a number", 0, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var u Untold
			for n := 1; n <= tt.want; n++ {
				attempt := n * tt.attempts * 3
				if u.Dead("x") {
					t.Errorf("dead before failure %d", n)
				}
				if dead := u.Fail("x", attempt, tt.most); dead != (n == tt.want) {
					t.Errorf("failure %d: dead %v", n, dead)
				}
			}
			if !u.Dead("x") || u.Dead("y") || u.Full() || u.Buried() != 1 {
				t.Errorf("dead %v, another %v", u.Dead("x"), u.Dead("y"))
			}
		})
	}
}

// TestPool: sources with one memory have the same connections, each is one call's at a time,
// and none is used that isn't needed.
func TestPool(t *testing.T) {
	made := 0
	m := NewMemory(2)
	connection := func() *int { made++; return new(int) }
	a, b := PoolOf(m, connection), PoolOf(m, connection)
	for range 3 {
		_ = a.With(t.Context(), func(n *int) { *n++ })
	}
	ended, cancel := context.WithCancel(t.Context())
	var inner, full error
	_ = a.With(t.Context(), func(one *int) {
		inner = b.With(t.Context(), func(other *int) {
			if one == other {
				t.Error("two calls have one connection")
			}
			cancel()
			full = a.With(ended, func(*int) { t.Error("there is a third one") })
		})
	})
	used := 0
	a.Each(func(n *int) { used += min(*n, 1) })
	if made != 2 || used != 1 || inner != nil || full == nil {
		t.Errorf("%d made, %d used; %v, %v", made, used, inner, full)
	}
}
