package commit

import (
	"context"
	"errors"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// Committed is a commit that stands: of this run, or of another of the same digest.
type Committed struct {
	it *Item
	standing
	own *Staging // what this run has staged for nothing; nil where it is the winner, or has staged nothing
}

// RunID is the winner's.
func (c *Committed) RunID() string { return c.Marker.RunID }

// Settled is an item whose outputs are published and recorded.
type Settled struct {
	How marker.Settled
	// Other is the marker that stands there where it is another run's; else nil.
	Other *marker.Entry

	c *Committed
}

// Marker is the winner's, with the outputs that it vouches for.
func (s *Settled) Marker() marker.Marker { return s.c.Marker }

// RollForward publishes what is committed: it copies each object to its target and writes
// the winner's marker, in the place of over, which may be nil. Anybody may do it, at any
// time, again and again. Without an error and without anything settled the commit is stale:
// what it was of is gone, and no marker tells of it; then the item is to be run again. An
// error is a failure with exit code 65 or 73.
func (c *Committed) RollForward(ctx context.Context, over *marker.Entry) (*Settled, Vacancy, error) {
	if c.it.rules.markerFirst {
		if s, err := c.record(ctx, over); err != nil {
			return s, Vacancy{}, err
		}
	}
	err := c.copies(ctx)
	absent := err != nil && store.Classify(err) == contract.Absent
	switch {
	case absent && !c.it.rules.blindAbsent:
		return c.gone(ctx)
	case err != nil && !absent:
		on := c.it.show()
		if u, ok := errors.AsType[*uncopied](err); ok {
			on = u.on
		}
		return nil, Vacancy{}, unpublished(err, "copy what was staged to", on)
	}
	if c.it.rules.cleanFirst {
		_ = (&Settled{c: c}).Clean(ctx)
	}
	s, err := c.record(ctx, over)
	return s, Vacancy{}, err
}

// copies publishes each object. It may be long, so that no time is set for it as a whole.
func (c *Committed) copies(ctx context.Context) error {
	policy := c.it.Book.Write
	policy.Pieces = true
	return store.Each(ctx, len(c.Objects), func(ctx context.Context, n int) error {
		o := c.Objects[n]
		to := c.it.Outputs[o.Output]
		if c.it.rules.unstaged {
			return nil
		}
		target := to.target(o.Key)
		err := store.Retry(ctx, policy, func(ctx context.Context) error {
			return to.Store.Copy(ctx, target, to.staged(c.RunID(), o.Output, o.Key))
		}, c.it.Book.Retrying)
		if err != nil {
			return &uncopied{err, to.Store.Show(target)}
		}
		return nil
	})
}

// uncopied is what a store said of a copy.
type uncopied struct {
	error
	on string // its target
}

func (e *uncopied) Unwrap() error { return e.error }

// gone finds out what it means that something isn't staged any more. What is staged is
// removed after the marker was written, so that a look from now on finds the marker, unless
// it was removed since.
func (c *Committed) gone(ctx context.Context) (*Settled, Vacancy, error) {
	book := *c.it.Book
	book.Wait = book.Write
	there, err := book.Look(ctx, c.it.Header)
	switch {
	case err != nil:
		return nil, Vacancy{}, err
	case there == nil, c.replaces(there) && !there.Agrees(c.it.Header.Digest):
		v, err := c.vacancy()
		return nil, v, err
	case there.RunID == c.RunID():
		return &Settled{How: marker.Recovered, c: c}, Vacancy{}, nil
	case !there.Agrees(c.it.Header.Digest) && book.OnChange == marker.OnChangeFail:
		return nil, Vacancy{}, book.Changed(there, c.it.Header)
	}
	return &Settled{How: marker.Theirs, Other: there, c: c}, Vacancy{}, nil
}

// vacancy gives a stale commit as one that may be replaced; one that is our own isn't for us
// to replace.
func (c *Committed) vacancy() (Vacancy, error) {
	if c.RunID() == c.it.Header.RunID {
		return Vacancy{}, nil
	}
	return c.it.over(c.standing)
}

// replaces tells whether the marker is one that the commit's own may take the place of:
// that of a run which was overtaken, or whose item was forgotten.
func (c *Committed) replaces(there *marker.Entry) bool {
	return there.Source == marker.SourceRun && there.RunID != c.RunID() && there.CanReplace() &&
		(there.Agrees(c.it.Header.Digest) || c.it.Book.OnChange == marker.OnChangeRerun)
}

// record writes the marker. Another run's may be there that was frozen before it wrote it,
// while its commit was forgotten or replaced: as long as this commit stands, its own takes
// that one's place, on condition. Of two commits the later one's marker stays so: who finds
// the earlier one's after it had seen its own commit still there loses the condition.
func (c *Committed) record(ctx context.Context, over *marker.Entry) (*Settled, error) {
	book := *c.it.Book
	book.OnChange = marker.OnChangeFail // what is replaced, is so from here alone
	for range mostTries {
		how, there, err := book.Finish(ctx, c.Marker, over)
		if there == nil {
			return c.settled(how, nil, err)
		}
		if !c.replaces(there) {
			return c.other(there, err)
		}
		stands, failed := c.stands(ctx)
		if failed != nil {
			return nil, failed
		}
		if !stands && !c.it.rules.blindMarker {
			return c.other(there, err)
		}
		over = there
	}
	return nil, unpublished(errors.New("the marker changes all the time"), "write the marker", c.it.Book.Show(c.it.Header))
}

func (c *Committed) settled(how marker.Settled, other *marker.Entry, err error) (*Settled, error) {
	if err != nil {
		return nil, err
	}
	return &Settled{How: how, Other: other, c: c}, nil
}

// other is that another run's marker stays.
func (c *Committed) other(there *marker.Entry, err error) (*Settled, error) {
	if c.it.Book.OnChange == marker.OnChangeSkip {
		err = nil
	}
	return c.settled(marker.Theirs, there, err)
}

// stands tells whether the commit is still this one.
func (c *Committed) stands(ctx context.Context) (yes bool, err error) {
	err = c.it.retry(ctx, "read the commit", c.it.show(), func(ctx context.Context) error {
		there, err := c.it.read(ctx)
		if err != nil && store.Classify(err) == contract.Absent {
			yes = false
			return nil
		}
		yes = err == nil && there.Marker.RunID == c.RunID()
		return err
	})
	return yes, err
}

// Clean removes what the winner had staged, and what this run had for nothing. It is best
// effort, and for no longer than a marker is tried to be written: an error is only told, and
// nth reset --stale does the rest.
func (s *Settled) Clean(ctx context.Context) error {
	it := s.c.it
	if it.rules.unstaged {
		return nil
	}
	if w := it.Book.Write.Window; w > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w)
		defer cancel()
	}
	err := it.removeAll(ctx, len(s.c.Objects), func(n int) (Output, string) {
		o := s.c.Objects[n]
		to := it.Outputs[o.Output]
		return to, to.staged(s.c.RunID(), o.Output, o.Key)
	})
	if err == nil {
		err = it.forget(ctx, s.c.RunID())
	} else {
		err = store.Fail(err, failure.OneIndex, "remove what was staged by "+s.c.RunID(), it.show())
	}
	if s.c.own != nil {
		err = errors.Join(err, s.c.own.Drop(ctx))
	}
	return err
}

func (it *Item) removeAll(ctx context.Context, n int, which func(int) (Output, string)) error {
	return store.Each(ctx, n, func(ctx context.Context, n int) error {
		to, key := which(n)
		return store.Retry(ctx, it.Book.Told, func(ctx context.Context) error { return to.Store.Prune(ctx, key) }, nil)
	})
}

// forget removes the note of what a run had staged.
func (it *Item) forget(ctx context.Context, run string) error {
	h := it.Header
	h.RunID = run
	key := it.Book.StagingKey(h)
	err := store.Retry(ctx, it.Book.Told, func(ctx context.Context) error { return it.Book.Store.Prune(ctx, key) }, nil)
	if err == nil {
		return nil
	}
	return store.Fail(err, failure.OneIndex, "remove the note of what was staged", it.Book.Store.Show(key))
}
