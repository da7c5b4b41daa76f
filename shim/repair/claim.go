package repair

import (
	"context"
	"io"
	"time"

	"nth/shim/marker"
	"nth/shim/status"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// clock is the store's, by which claims are dated: what it said once, and how long ago
// that was by ours.
type clock struct{ said, at time.Time }

// slack is for stores that date by whole seconds.
const slack = time.Second

// setClock asks the store for its time, by a blob of our own that is removed again.
// Where nothing may be changed, it is this machine's.
func (s *session) setClock() error {
	now := time.Now()
	s.clock = clock{said: now, at: now}
	if s.DryRun {
		return nil
	}
	key := "repair-" + s.RunID + ".json"
	err := s.retry(s.ctx, "ask for the store's time", key, func(ctx context.Context) error {
		if err := s.store.Put(ctx, key, []byte("{}\n")); err != nil {
			return err
		}
		s.clock.at = time.Now()
		about, err := s.store.Bucket().Attributes(ctx, key)
		if err == nil {
			s.clock.said = about.ModTime
		}
		return err
	})
	if removed := s.retry(context.WithoutCancel(s.ctx), "remove the blob that asked for the time", key, func(ctx context.Context) error {
		return s.store.Remove(ctx, key)
	}); err == nil {
		err = removed
	}
	return err
}

// alive tells whether a living run claims the item: its claim is not released, and
// younger than its TTL by the store's own dates. It is looked at just before the item
// is changed, for a claim is renewed every few seconds.
func (s *session) alive(ctx context.Context, item marker.Item) (bool, error) {
	c, err := s.claimOf(ctx, item)
	return c != nil && c.alive, err
}

// claimed is a claim as it was read.
type claimed struct {
	body  []byte
	token contract.Token
	alive bool
}

// claimOf gives an item's claim; nil: there is none.
func (s *session) claimOf(ctx context.Context, item marker.Item) (*claimed, error) {
	var c claimed
	var written time.Time
	key := item.Key(claimDir)
	err := store.Retry(ctx, s.policy(), func(ctx context.Context) error {
		r, err := s.store.Bucket().NewReader(ctx, key, nil)
		if err != nil {
			return err
		}
		defer r.Close()
		written = r.ModTime()
		r.As(&c.token)
		c.body, err = io.ReadAll(io.LimitReader(r, maxClaim))
		return err
	}, s.slow)
	if err != nil && store.Classify(err) == contract.Absent {
		return nil, nil
	}
	if err != nil {
		return nil, s.describe(err, "read the claim", key)
	}
	now := s.clock.said.Add(time.Since(s.clock.at))
	c.alive = status.Claimed(c.body, now.Sub(written)-slack)
	return &c, nil
}

// maxClaim bounds what is read of a claim, in bytes: one that is longer is none.
const maxClaim = 64 << 10
