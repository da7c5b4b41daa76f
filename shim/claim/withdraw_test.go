package claim

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/machines"
)

// down is a store that doesn't answer, or refuses the connection.
type down struct{ hangs bool }

func (d down) answer(ctx context.Context) error {
	if d.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: errors.New("refused")}
}

func (d down) Read(ctx context.Context, _ string) ([]byte, contract.Token, error) {
	return nil, "", d.answer(ctx)
}

func (d down) Swap(ctx context.Context, _ string, _ []byte, _ contract.Token) (contract.Token, error) {
	return "", d.answer(ctx)
}

// TestWithdraw: to give back what may have been written holds nobody up for long when the
// store is down: the platform waits for the exit.
func TestWithdraw(t *testing.T) {
	for name, s := range map[string]Store{"no answer": down{true}, "refused": down{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const window = 10 * time.Second
				m := machines.True(ttl)
				c := &Claim{Store: s, Clock: m, TTL: ttl, Mine: Document{RunID: "r"}, Access: store.Policy{Window: window, PerCall: time.Second},
					End: store.Policy{Window: 5 * time.Second, PerCall: 30 * time.Second}}
				_, err := c.Take(t.Context())
				if took := m.At(); err == nil || took > window+4*time.Second {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}
