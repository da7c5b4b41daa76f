package repair

import (
	"context"
	"slices"
	"time"

	"nth/shim/config"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/proc"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task/objects"
)

// ResetConfig is what `nth reset` is told.
type ResetConfig struct {
	Config
	Claims      bool          `group:"Indexes" env:"-" help:"Forget nothing, and release their claims: of pods that are dead, before the time of --claim is over."`
	Stale       bool          `group:"Indexes" env:"-" help:"Forget nothing, and remove what runs that are over have staged. Without --indexes of all, and asks first."`
	OlderThan   time.Duration `group:"Indexes" env:"-" default:"24h" placeholder:"D" help:"With --stale: how old a run is that counts as over, where no marker tells."`
	Checkpoints []string      `group:"Indexes" env:"-" sep:"\n" placeholder:"URL" help:"With --stale: the directory that checkpoints are in, or the template of --checkpoint: those of items that are done, or that old, are removed too. Repeatable."`
}

// reset is one `nth reset`.
type reset struct {
	batch
	claimsOnly bool
	deleted    []heap // by kind
	released   heap   // claims
}

// Reset is `nth reset`: what is recorded of the chosen items is deleted, so that they
// run again. It gives the exit code: 1 when some were refused and the others are done.
// An error is a failure.
func Reset(c ResetConfig, rest []string, w World) (int, error) {
	if err := c.agree(config.ForReset, c); err != nil {
		return 0, err
	}
	if c.Stale && c.Indexes == "" {
		c.All = true
		if err := c.askable("--stale", w); err != nil {
			return 0, err
		}
	}
	ctx, stop := proc.Interruptible("reset")
	defer stop()
	s, err := open(ctx, "reset", c.Config, rest, w)
	if err != nil {
		return 0, err
	}
	defer s.store.Close()
	if c.Stale {
		return (&stale{batch: batch{session: s}, limit: c.OlderThan, checkpoints: checkpoints{allow: c.Checkpoints}}).run()
	}
	r := &reset{batch: batch{session: s}, claimsOnly: c.Claims, deleted: make([]heap, len(kinds))}
	if !c.Claims && !c.DryRun {
		r.many = r.lot
	}
	return r.run()
}

func (r *reset) run() (int, error) {
	only, err := r.named()
	if err != nil {
		return 0, err
	}
	dirs := []string{claimDir}
	for _, k := range kinds {
		dirs = append(dirs, k.dir)
	}
	if r.found, err = r.take(dirs, only, r.All); err != nil {
		return 0, err
	}
	chosen, one, question := r.chosen, r.one, func() string { return "Delete " + r.sum() }
	if r.claimsOnly {
		chosen, one, question = r.claims, r.release, func() string { return "Release " + counted(int64(len(r.items)), "claim", "claims") }
	}
	r.items = r.found.items(chosen)
	if len(r.items) > 0 {
		if err := r.confirm(question() + " under " + r.store.Show("") + "?"); err != nil {
			return 0, err
		}
	}
	err = r.work(one)
	if r.claimsOnly {
		r.reportReleased(err)
		return r.end(err, "not released")
	}
	r.report(only, err)
	if err == nil && r.All {
		err = r.reportLists()
	}
	return r.end(err, "not reset")
}

// chosen tells whether an item is to be reset.
func (r *reset) chosen(item marker.Item, h *held) bool {
	if h.kinds == 0 || item.Task != "" && !r.All || item.Task == "" && !r.within(item.Index) {
		return false
	}
	return r.state(h)
}

// state tells whether an item is in the state of those that are meant.
func (r *reset) state(h *held) bool {
	switch {
	case r.Failed:
		return h.has(failed) && !h.has(done)
	case r.Missing:
		return !h.has(failed) && !h.has(done)
	}
	return true
}

// sum tells what there is to delete: "98,312 markers and 500 failure records".
func (r *reset) sum() string {
	var parts []string
	for k := len(kinds) - 1; k >= 0; k-- {
		n := int64(0)
		for _, item := range r.items {
			if r.found[item].has(k) {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, counted(n, kinds[k].one, kinds[k].many))
		}
	}
	return enumerate(parts)
}

// one deletes what is there of an item, in the order of the kinds.
func (r *reset) one(ctx context.Context, item marker.Item) error {
	h := r.found[item]
	for k := range kinds {
		if !h.has(k) {
			continue
		}
		for _, key := range h.keys(item, k) {
			if err := r.remove(ctx, key); err != nil {
				return err
			}
		}
		r.note(&r.deleted[k], item)
	}
	return nil
}

func (r *reset) remove(ctx context.Context, key string) error {
	if r.DryRun {
		return nil
	}
	return r.retry(ctx, "delete", key, func(ctx context.Context) error { return r.store.Remove(ctx, key) })
}

// lot is one for many items, each of which keeps the order: nothing of the next kind is
// deleted before all of this one is gone.
func (r *reset) lot(ctx context.Context, items []int) (err error) {
	for k := 0; k < len(kinds) && err == nil; k++ {
		var keys, left []string
		for _, at := range items {
			if h := r.found[r.items[at]]; h.has(k) {
				keys = append(keys, h.keys(r.items[at], k)...)
			}
		}
		if len(keys) == 0 {
			continue
		}
		left, err = r.store.RemoveMany(ctx, r.policy(), keys, r.slow)
		r.gone(items, k, left)
		if err != nil && store.Classify(err) != contract.Unsupported {
			err = r.describe(err, "delete", append(left, keys...)[0])
		}
	}
	for _, at := range items {
		if r.found[r.items[at]].kinds == 0 {
			r.pass(at)
		}
	}
	return err
}

// gone notes of which items a kind is deleted: all but those of which a key is left.
func (r *reset) gone(items []int, kind int, left []string) {
	stays := make(map[string]bool, len(left))
	for _, key := range left {
		stays[key] = true
	}
	for _, at := range items {
		item := r.items[at]
		h := r.found[item]
		if h.has(kind) && !slices.ContainsFunc(h.keys(item, kind), func(key string) bool { return stays[key] }) {
			h.kinds &^= 1 << kind
			r.note(&r.deleted[kind], item)
		}
	}
}

// reportLists tells which lists of objects stay: who runs all again may want what there is
// now, or just what was meant.
func (r *reset) reportLists() error {
	var lists []string
	err := r.retry(r.ctx, "list", "manifest/", func(ctx context.Context) (err error) {
		lists, err = objects.Pinned(ctx, r.store)
		return err
	})
	for _, key := range lists {
		r.say("kept the list of objects, so that each index has the object that it had: for a new one begin with other markers, or delete %s before the Job runs", r.store.Show(key))
	}
	return err
}

func (r *reset) report(only identity.List, err error) {
	verb := "deleted"
	if r.DryRun {
		verb = "would delete"
	}
	nothing := true
	for k := len(kinds) - 1; k >= 0; k-- {
		if h := &r.deleted[k]; h.len() > 0 {
			nothing = false
			r.say("%s %s: %s", verb, counted(h.len(), kinds[k].one, kinds[k].many), h)
		}
	}
	switch without := only.Len() - int64(len(r.items)); {
	case err != nil:
	case nothing && r.refused.len() == 0:
		r.say("nothing to reset")
	case without > 0:
		r.say("nothing to reset of %s", counted(without, "other index", "other indexes"))
	}
}
