package share

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"nth/shim/claim"
	"nth/shim/identity"
	"nth/shim/store/contract"
)

// empty is a store in which nothing is, and which takes everything.
type empty struct{}

func (empty) Read(context.Context, string) ([]byte, contract.Token, error) { return nil, "", errNone }

func (empty) Swap(context.Context, string, []byte, contract.Token) (contract.Token, error) {
	return "1", nil
}

func (empty) List(context.Context, string, func(string, int64, time.Time) error) error { return nil }

// still is a clock whose timers never go off, as on a machine that is too busy.
type still struct{ atomic.Int64 }

func (c *still) Now() time.Duration                   { return time.Duration(c.Load()) }
func (c *still) After(time.Duration) <-chan time.Time { return nil }

// TestOver: a run that was told that a chunk is lost, and ended its commands for it, is told
// so when it says why it ended, too: by then the chunk is given back.
func TestOver(t *testing.T) {
	clock := &still{}
	none := func(context.Context, int64) (identity.List, error) { return identity.List{}, nil }
	w := &Worker{Space: Space{40, 2}, Store: empty{}, Clock: clock, Digest: "d", TTL: ttl, Recorded: none,
		Settled: func(context.Context) (identity.List, error) { return identity.List{}, nil }}
	w.Mine = claim.Document{RunID: "a"}
	w.Begin(identity.List{})
	if c, err := w.Next(t.Context(), true); c == nil || err != nil {
		t.Fatal(c, err)
	}
	if w.Over() {
		t.Fatal("it is over at once")
	}
	clock.Store(int64(ttl))
	if !w.Over() {
		t.Fatal("it isn't over when its time is")
	}
	if w.Close(); !w.Over() {
		t.Error("when all is given back, nobody knows any more that it was lost")
	}
}
