package once

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nth/shim/claim"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/record"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// claim keeps others away from an item from here on, and waits for those who have it. It
// gives what the record says of the item by then.
func (w *Way) claim(ctx context.Context, it item.Item, found record.Verdict) (*claim.Lease, record.Verdict, error) {
	m := w.Config.Markers
	if m.Claim == 0 {
		return nil, found, nil
	}
	if err := w.Step(ctx, "claim"); err != nil {
		return nil, found, err
	}
	h := it.Header
	access := w.FirstAccess()
	access.Pieces = false // a claim is short, and its time runs
	end := access
	end.Window = record.Told
	c := &claim.Claim{
		Store: w.Record.Store(), Clock: claim.System{}, TTL: m.Claim, Wait: m.ClaimWait, Access: access, End: end,
		Mine: claim.Document{Job: h.Job, Index: h.Index, RunID: h.RunID, Hostname: h.Hostname, Node: h.Node},
		Busy: func(d claim.Document) { w.Log.Info().Msgf("%s is claimed by %s: waiting", h.What(), d.By()) },
		Settled: func(ctx context.Context) (_ bool, err error) {
			found, _, err = w.Record.Look(ctx, h)
			return found.Settled, err
		},
		Trouble: func(err error, wait time.Duration) { w.RetryingTo("claim", err, wait) },
	}
	l, err := c.Take(ctx)
	if held, ok := errors.AsType[*claim.HeldError](err); ok {
		return nil, found, &failure.Failure{Code: failure.Held, Tried: "claim", On: h.What(),
			Cause: fmt.Errorf("it is still claimed by %s after %s", held.By.By(), m.ClaimWait), Hint: "another pod works at it; --claim-wait waits longer"}
	}
	switch {
	case errors.Is(err, claim.ErrSettled):
		return nil, found, nil
	case err != nil && ctx.Err() != nil:
		return nil, found, w.Stopped("claim")
	case err != nil:
		return nil, found, claimFailed(err, w.Record.Store().Show(c.Key()))
	}
	w.Log.Debug().Msg("the index is claimed")
	return l, found, nil
}

// claimFailed is what a store's error means for a claim; a failure stays one.
func claimFailed(err error, on string) error {
	if _, ok := errors.AsType[*failure.Failure](err); ok {
		return err
	}
	f := store.Fail(err, failure.OneIndex, "claim the index", on)
	if store.Classify(err) == contract.Unsupported {
		f.Code, f.Hint = failure.Setup, "--claim needs file://, s3://, gs:// or azblob://; nth check proves a store"
	}
	return f
}

// release gives a claim back when the item's way is over; nil is none.
func (w *Way) release(l *claim.Lease) {
	if l == nil {
		return
	}
	if err := l.Release(); err != nil {
		w.Log.Warn().Msg("release the claim: " + w.Said(err) + "; it ends by itself")
	}
}

// Held fails when nothing may begin any more, for the claim was lost before.
func (in Inputs) Held() error {
	if in.Lease == nil || !in.Lease.Over() {
		return nil
	}
	return &failure.Failure{Code: failure.Held, Tried: "run the command", Cause: errors.New("the claim was lost before it started"), Hint: "nothing was run"}
}
