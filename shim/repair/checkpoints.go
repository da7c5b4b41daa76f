package repair

import (
	"context"
	"slices"

	"nth/shim/commit"
	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// checkpoints are what becomes of those that notes name.
type checkpoints struct {
	allow     []string         // --checkpoints
	allowed   []commit.Allowed // where they may be removed
	forgotten map[string]bool  // those that were
	stay      []string         // those of items that are done, and stay
}

// allowing reads where the command line says that checkpoints are.
func (c *stale) allowing() error {
	c.forgotten = map[string]bool{}
	for _, text := range c.allow {
		a, err := commit.Allow(text, c.url)
		if err != nil {
			return usage("--checkpoints", err.Error(), "--checkpoints s3://bucket/state/, the directory that the checkpoints are in")
		}
		c.allowed = append(c.allowed, a)
	}
	return nil
}

// forget removes the checkpoints that the note of a run names which is over, where the
// command line allows it, and tells whether something of them is left for another time. Of
// an item that is done, what is older than its marker may go: nobody goes on from there. Of
// any other, and where somebody has written again, only what is as old as a run that is over.
func (c *stale) forget(ctx context.Context, item marker.Item, all []string, done *commit.Stood) (later bool, err error) {
	for _, noted := range all {
		in, key := c.allows(noted)
		if in == nil {
			if done != nil {
				c.mu.Lock()
				c.checkpoints.stay = append(c.checkpoints.stay, noted)
				c.mu.Unlock()
			}
			continue
		}
		if c.found[item].claimed { // whatever --force says
			if alive, err := c.alive(ctx, item); alive || err != nil {
				return true, err
			}
		}
		left, err := c.remove(ctx, *in, key, done)
		if err != nil {
			return true, err
		}
		later = later || left
	}
	return later, nil
}

// writes tells whether a checkpoint that may be removed is too young for that: whoever has
// written it may still be at work, and what it has staged is its own.
func (c *stale) writes(ctx context.Context, all []string, done *commit.Stood) (bool, error) {
	for _, noted := range all {
		in, key := c.allows(noted)
		if in == nil {
			continue
		}
		recent, err := c.recent(ctx, *in, key, done)
		if recent || err != nil {
			return recent, err
		}
	}
	return false, nil
}

func (c *stale) recent(ctx context.Context, in commit.Allowed, key string, done *commit.Stood) (yes bool, err error) {
	err = c.at(ctx, in, key, "look at the checkpoint", func(_ context.Context, _ *store.Store, e store.Entry) error {
		yes = c.isRecent(e, done)
		return nil
	})
	return yes, err
}

// at does something about a checkpoint that is there; of one that isn't, nothing.
func (c *stale) at(ctx context.Context, in commit.Allowed, key, tried string, do func(context.Context, *store.Store, store.Entry) error) error {
	s, err := c.Stores.Open(ctx, in.Dir)
	if err != nil {
		return err
	}
	defer s.Close()
	err = store.Retry(ctx, c.policy(), func(ctx context.Context) error {
		e, err := s.Stat(ctx, key)
		if err != nil {
			return err
		}
		return do(ctx, s, e)
	}, nil)
	if err != nil && store.Classify(err) != contract.Absent {
		return store.Fail(err, failure.TheJob, tried, s.Show(key))
	}
	return nil
}

// isRecent tells whether somebody may go on from a checkpoint.
func (c *stale) isRecent(e store.Entry, done *commit.Stood) bool {
	return !c.old(e.Modified) && (done == nil || e.Modified.After(done.Written.Add(slack)))
}

// allows gives the place in which a note's checkpoint may be removed; nil: in none.
func (c *stale) allows(noted string) (*commit.Allowed, string) {
	for n := range c.allowed {
		if key, err := c.allowed[n].Key(noted); err == nil {
			return &c.allowed[n], key
		}
	}
	return nil, ""
}

func (c *stale) remove(ctx context.Context, in commit.Allowed, key string, done *commit.Stood) (left bool, err error) {
	gone := ""
	err = c.at(ctx, in, key, "remove the checkpoint", func(ctx context.Context, s *store.Store, e store.Entry) (err error) {
		if left = c.isRecent(e, done); left {
			return nil
		}
		if !c.DryRun {
			err = s.RemoveNamed(ctx, key)
		}
		if err == nil {
			gone = s.Show(key)
		}
		return err
	})
	if gone != "" {
		c.mu.Lock()
		c.forgotten[gone] = true
		c.mu.Unlock()
	}
	return left, err
}

// reportCheckpoints tells what became of them.
func (c *stale) reportCheckpoints() {
	verb, hint := "removed", "delete it by hand"
	if c.DryRun {
		verb, hint = "would remove", "--checkpoints URL with the directory that it is in removes it"
	}
	if n := len(c.forgotten); n > 0 {
		c.say("%s %s", verb, counted(int64(n), "checkpoint", "checkpoints"))
	}
	c.list("a checkpoint of an item that is done, where it isn't deleted yet ("+hint+")", c.checkpoints.stay, c.say)
}

// list tells of each, up to a bound.
func (c *stale) list(what string, each []string, tell func(string, ...any)) {
	slices.Sort(each)
	each = slices.Compact(each)
	for _, one := range each[:min(len(each), mostTold)] {
		tell("%s: %s", what, one)
	}
	if more := len(each) - mostTold; more > 0 {
		tell("%s: %s more", what, thousands(int64(more)))
	}
}
