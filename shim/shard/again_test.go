package shard

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/once"
	"nth/shim/proc"
)

// TestRetryWaits: an item that has failed is to be had again when its pause is over, and no
// sooner; of several the one that is due first. The clock is synctest's.
func TestRetryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := &item.Run{Process: edge.NewProcess(edge.World{}), Config: &config.Config{Command: []string{"sh"}}}
		l := &loop{shard: &shard{Way: &once.Way{Run: run}}, retries: retries{most: 2}}
		fails := func(a attempt) bool {
			return l.again(a, &failure.Failure{Code: 3, Tried: "run", Cause: errors.New("exit code 3")}, &proc.Result{})
		}
		if !fails(attempt{row: row{number: 7}, n: 1}) || !fails(attempt{row: row{number: 8}}) || fails(attempt{row: row{number: 9}, n: 2}) {
			t.Fatal("two of three may be tried again")
		}
		for _, want := range []struct {
			item int64
			n    int
			at   time.Duration
		}{{8, 1, time.Second}, {7, 2, 2 * time.Second}} {
			if a, ok := l.retries.take(); ok {
				t.Errorf("item %d is to be had too soon", a.number)
			}
			l.retries.wait(t.Context(), nil)
			if a, ok := l.retries.take(); !ok || a.number != want.item || a.n != want.n {
				t.Errorf("item %d, retry %d, %v; want %+v", a.number, a.n, ok, want)
			}
		}
	})
}
