package claim

import (
	"context"
	"errors"

	"nth/shim/store"
	"nth/shim/store/contract"
)

// Try is Take for who doesn't wait: where another holds the claim it fails with a *HeldError
// at once. The first time it costs one request, and who holds the claim isn't known then. A
// further call goes on watching, and takes the claim over when that is allowed.
func (c *Claim) Try(ctx context.Context) (*Lease, error) {
	l, err := c.try(ctx)
	if _, held := errors.AsType[*HeldError](err); err != nil && !held {
		c.withdraw()
	}
	return l, err
}

// Watch is for who knows that there is a document: the first call of Try looks at it.
func (c *Claim) Watch() { c.there = true }

func (c *Claim) try(ctx context.Context) (*Lease, error) {
	c.prepare()
	for range mostLate {
		h, err := c.once(ctx)
		switch {
		case err == nil && c.Clock.Now()-h.sent < c.part(c.rules.renew):
			return c.begin(ctx, h, c.watch.others)
		case err == nil:
			c.there = true
		case store.Classify(err) == contract.Exists:
			return nil, &HeldError{c.watch.doc}
		default:
			return nil, err
		}
	}
	return nil, c.tooLate()
}

// once writes the first version where none is known of, and else looks at what is there. It
// looks too when its own write may be what is in the way.
func (c *Claim) once(ctx context.Context) (h held, err error) {
	if !c.there {
		h, err = c.asked(ctx, func(ctx context.Context) (held, error) { return c.write(ctx, 1, false, "") })
		if err == nil || store.Classify(err) != contract.Exists {
			return h, err
		}
		if c.there = true; c.beat == 1 {
			return h, err
		}
	}
	return c.asked(ctx, func(ctx context.Context) (held, error) { return c.round(ctx, &c.watch) })
}

func (c *Claim) tooLate() error {
	flag := "--claim"
	if c.Mine.Chunk != "" {
		flag = "--lease"
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: errors.New("its answers take longer than a third of " + flag), Hint: "give " + flag + " more time"}
}
