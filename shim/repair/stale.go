package repair

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"nth/shim/commit"
	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/place"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// stale is one `nth reset --stale`: what runs that are over have staged is removed, and then
// the note that says where it was. Nothing of the items is forgotten.
type stale struct {
	batch
	limit time.Duration // the age of a run that is over, where nothing else tells
	url   string        // of the markers

	cleared, needed, young, left heap // by run
	objects                      int64
	why                          []string // of those that are left
	checkpoints
}

// mostTold is how many lines a list has that may be as long as the Job.
const mostTold = 10

func (c *stale) run() (int, error) {
	only, err := c.named()
	if err != nil {
		return 0, err
	}
	if c.url, err = place.Expand(c.where, c.Process); err != nil {
		return 0, err
	}
	if err = c.allowing(); err != nil {
		return 0, err
	}
	if c.found, err = c.take([]string{claimDir, stagingDir}, only, only.Len() == 0); err != nil {
		return 0, err
	}
	c.items = c.found.items(func(item marker.Item, h *held) bool {
		return len(h.notes) > 0 && (item.Task != "" || c.within(item.Index))
	})
	if len(c.items) == 0 {
		c.say("nothing is staged")
		return 0, nil
	}
	if err := c.confirm("Remove what runs that are over have staged, of " + counted(int64(len(c.items)), "item", "items") + " under " + c.store.Show("") + "?"); err != nil {
		return 0, err
	}
	if err := c.setClock(); err != nil {
		return 0, err
	}
	err = c.work(c.one)
	c.report()
	code, err := c.end(err, "not looked at")
	if err == nil && c.left.len() > 0 {
		code = 1
	}
	return code, err
}

// one clears up after the runs of an item.
func (c *stale) one(ctx context.Context, item marker.Item) error {
	keys := c.found[item].notes
	slices.Sort(keys)
	for n, key := range keys {
		if n > 0 && keys[n-1] == key { // two listings had it
			continue
		}
		body, noted, err := c.read(ctx, "read the note", key)
		if err != nil {
			return err
		}
		if body == nil { // its run has removed it meanwhile
			continue
		}
		if err := c.after(ctx, item, key, body, noted); err != nil {
			return err
		}
	}
	return nil
}

// after clears up after one run. What is wrong with its note, or where it staged, is told at
// the end, and keeps nobody from clearing up after others.
func (c *stale) after(ctx context.Context, item marker.Item, key string, body []byte, noted time.Time) error {
	run := strings.TrimSuffix(path.Base(key), ".json")
	note, places, err := commit.ReadNote(body, run, c.url)
	if err != nil {
		c.leave(item, key, err)
		return nil
	}
	stands, err := c.stands(ctx, item)
	if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Malformed {
		c.leave(item, key, err)
		return nil
	} else if err != nil {
		return err
	}
	old := c.old(noted)
	switch {
	case stands.Needs(run):
		c.note(&c.needed, item)
		return nil
	case !stands.Over(run, noted, old):
		c.note(&c.young, item)
		return nil
	}
	later, err := c.writes(ctx, note.Checkpoints, stands.Marker)
	if err == nil && !later {
		later, err = c.clearAll(ctx, places, stands.Over(run, noted, false))
	}
	if err == nil && !later {
		later, err = c.forget(ctx, item, note.Checkpoints, stands.Marker)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return c.describe(context.Cause(ctx), "remove what was staged", key)
	case err != nil:
		c.leave(item, key, err)
		return nil
	case later:
		c.note(&c.young, item)
		return nil
	}
	if !c.DryRun {
		err := c.retry(ctx, "delete", key, func(ctx context.Context) error { return c.store.Prune(ctx, key) })
		if err != nil {
			return err
		}
	}
	c.note(&c.cleared, item)
	return nil
}

// old tells whether something was written so long ago that its run is over.
func (c *stale) old(written time.Time) bool {
	return c.clock.said.Add(time.Since(c.clock.at)).Sub(written)-slack > c.limit
}

// clearAll clears each of a run's places, up to one that is left for another time.
func (c *stale) clearAll(ctx context.Context, places []commit.Place, atOnce bool) (later bool, err error) {
	for _, p := range places {
		if cleared, err := c.clear(ctx, p, atOnce); !cleared || err != nil {
			return true, err
		}
	}
	return false, nil
}

// clear removes what is in a place, unless something of it is young and that matters.
func (c *stale) clear(ctx context.Context, p commit.Place, atOnce bool) (cleared bool, err error) {
	s, err := c.Stores.Open(ctx, p.Dir)
	if err != nil {
		return false, err
	}
	defer s.Close()
	tried, on := "look for what was staged", s.Show(p.Prefix)
	var keys []string
	var newest time.Time
	err = store.Retry(ctx, c.policy(), func(ctx context.Context) (err error) {
		keys = nil
		if newest, _, err = s.Sweep(ctx, p.Prefix, false); err != nil {
			return err
		}
		return s.List(ctx, p.Prefix, func(key string, _ int64, modified time.Time) error {
			keys = append(keys, key)
			if modified.After(newest) {
				newest = modified
			}
			return nil
		})
	}, nil)
	if err != nil {
		return false, store.Fail(err, failure.TheJob, tried, on)
	}
	if !atOnce && !newest.IsZero() && !c.old(newest) {
		return false, nil
	}
	return true, c.removeAll(ctx, s, p, keys)
}

func (c *stale) removeAll(ctx context.Context, s *store.Store, p commit.Place, keys []string) error {
	n := 0
	err := store.Each(ctx, len(keys), func(ctx context.Context, k int) error {
		if c.DryRun {
			return nil
		}
		return store.Retry(ctx, c.policy(), func(ctx context.Context) error { return s.Prune(ctx, keys[k]) }, nil)
	})
	if err == nil {
		err = store.Retry(ctx, c.policy(), func(ctx context.Context) (err error) {
			_, n, err = s.Sweep(ctx, p.Prefix, !c.DryRun)
			return err
		}, nil)
	}
	if err != nil {
		return store.Fail(err, failure.TheJob, "remove what was staged", s.Show(p.Prefix))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects += int64(len(keys) + n)
	return nil
}

// stands reads what there is of an item: the commit last, which decides what is kept.
func (c *stale) stands(ctx context.Context, item marker.Item) (s commit.Stands, err error) {
	if s.Marker, err = c.stood(ctx, item.Key(kinds[done].dir), false); err != nil {
		return s, err
	}
	s.Commit, err = c.stood(ctx, item.Key(kinds[commits].dir), true)
	return s, err
}

func (c *stale) stood(ctx context.Context, key string, of bool) (*commit.Stood, error) {
	body, written, err := c.read(ctx, "read what stands", key)
	if err != nil || body == nil {
		return nil, err
	}
	s, err := commit.ReadStood(body, of, written)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.store.Show(key), err)
	}
	return s, nil
}

// read gives a document and when it was written, by the store; nil: there is none.
func (c *stale) read(ctx context.Context, tried, key string) (body []byte, written time.Time, err error) {
	err = store.Retry(ctx, c.policy(), func(ctx context.Context) error {
		r, err := c.store.Bucket().NewReader(ctx, key, nil)
		if err != nil {
			return err
		}
		defer r.Close()
		written = r.ModTime()
		body, err = io.ReadAll(io.LimitReader(r, maxRead))
		return err
	}, nil)
	if err != nil && store.Classify(err) == contract.Absent {
		return nil, time.Time{}, nil
	}
	return body, written, c.describe(err, tried, key)
}

// maxRead bounds what is read of a document, in bytes; one that is longer is malformed.
const maxRead = 16 << 20

func (c *stale) leave(item marker.Item, key string, why error) {
	c.note(&c.left, item)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.why = append(c.why, c.store.Show(key)+": "+c.Said(why))
}

func (c *stale) report() {
	verb := "removed"
	if c.DryRun {
		verb = "would remove"
	}
	for _, of := range []struct {
		h    *heap
		what string
	}{
		{&c.cleared, verb + " " + counted(c.objects, "object", "objects") + " that %s had staged, of %s"},
		{&c.needed, "kept what %s had committed, for the next start to publish it: %s"},
		{&c.young, "kept what %s may still be at work at: %s"},
	} {
		if n := of.h.len(); n > 0 {
			of.h.indexes = slices.Compact(slices.Sorted(slices.Values(of.h.indexes)))
			c.say(of.what, counted(n, "run", "runs"), of.h)
		}
	}
	c.reportCheckpoints()
	c.list("left", c.why, c.warn)
}
