package repair

import (
	"context"
	"errors"

	"nth/shim/claim"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// mostRenewals is how often a claim may be renewed between a look at it and its release.
const mostRenewals = 5

// release releases an item's claim, unless a living run holds it: the version that was
// looked at is replaced, and no other. A claim is never deleted.
func (r *reset) release(ctx context.Context, item marker.Item) error {
	by := claim.Document{RunID: r.RunID, Hostname: r.Hostname}
	for range mostRenewals {
		c, err := r.claimOf(ctx, item)
		if err != nil || c == nil {
			return err
		}
		key := item.Key(claimDir)
		doc, err := claim.Decode(c.body, item.Index)
		switch {
		case err != nil:
			return r.describe(err, "read the claim", key)
		case doc.Released && doc.RunID == r.RunID: // the answer was lost
			r.note(&r.released, item)
			return nil
		case doc.Released:
			return nil
		case c.alive && !r.Force:
			r.note(&r.refused, item)
			return nil
		case r.DryRun:
			r.note(&r.released, item)
			return nil
		case c.token == "":
			return r.describe(&contract.Error{Kind: contract.Unsupported, Cause: errors.New("this store doesn't name versions")}, "release the claim", key)
		}
		err = store.Retry(ctx, r.policy(), func(ctx context.Context) error { return claim.Void(ctx, r.store, doc, c.token, by) }, r.slow)
		switch {
		case err == nil:
			r.note(&r.released, item)
			return nil
		case store.Classify(err) != contract.Exists:
			return r.describe(err, "release the claim", key)
		}
	}
	r.note(&r.refused, item)
	return nil
}

// claims tells whether an item has a claim that may be released.
func (r *reset) claims(item marker.Item, h *held) bool {
	return h.claimed && item.Task == "" && r.within(item.Index) && r.state(h)
}

func (r *reset) reportReleased(err error) {
	verb := "released"
	if r.DryRun {
		verb = "would release"
	}
	switch n := r.released.len(); {
	case n > 0:
		r.say("%s %s: %s", verb, counted(n, "claim", "claims"), &r.released)
	case err == nil && r.refused.len() == 0:
		r.say("no claim to release")
	}
}
