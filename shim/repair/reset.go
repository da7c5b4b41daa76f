package repair

import (
	"context"

	"nth/shim/config"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/proc"
)

// reset is one `nth reset`.
type reset struct {
	batch
	deleted []heap // by kind
}

// Reset is `nth reset`: what is recorded of the chosen items is deleted, so that they
// run again. It gives the exit code: 1 when some were refused and the others are done.
// An error is a failure.
func Reset(c Config, rest []string, w World) (int, error) {
	if err := c.agree(config.ForReset, c); err != nil {
		return 0, err
	}
	ctx, stop := proc.Interruptible("reset")
	defer stop()
	s, err := open(ctx, "reset", c, rest, w)
	if err != nil {
		return 0, err
	}
	defer s.store.Close()
	return (&reset{batch: batch{session: s}, deleted: make([]heap, len(kinds))}).run()
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
	r.items = r.found.items(r.chosen)
	if len(r.items) > 0 {
		if err := r.confirm("Delete " + r.sum() + " under " + r.store.Show("") + "?"); err != nil {
			return 0, err
		}
	}
	err = r.work(r.one)
	r.report(only, err)
	return r.end(err, "not reset")
}

// chosen tells whether an item is to be reset.
func (r *reset) chosen(item marker.Item, h *held) bool {
	switch {
	case h.kinds == 0 || item.Task != "" && !r.All || item.Task == "" && !r.within(item.Index):
		return false
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
		keys := []string{item.Key(kinds[k].dir)}
		if k == progress {
			keys = h.runs
		}
		for _, key := range keys {
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
