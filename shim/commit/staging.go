package commit

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// Staging is a run whose command has succeeded, and whose outputs are on their way.
type Staging struct {
	it *Item
	// sent: the commit may be ours, whatever answer came. From then on what is staged is
	// only removed by who knows better.
	sent bool
	// unsure: an answer was lost. Where another's commit stands now, ours may have stood
	// before it, and have been rolled forward, recorded and cleared away: a run commits once.
	unsure bool
}

// Stage says beside the markers where this run stages, before it does. An error is a
// failure with exit code 73.
func (it *Item) Stage(ctx context.Context) (*Staging, error) {
	h := it.Header
	n := Note{Version: Version, Job: h.Job, Index: h.Index, RunID: h.RunID, Written: time.Now().UTC().Format(time.RFC3339), Checkpoints: it.Checkpoints}
	for _, o := range it.Outputs {
		place, err := below(o.URL, h.RunID)
		if err != nil {
			return nil, unpublished(err, "note where it is staged", it.show())
		}
		if !slices.Contains(n.Places, place) {
			n.Places = append(n.Places, place)
		}
	}
	if err := it.note(ctx, n, "note where it is staged"); err != nil {
		return nil, err
	}
	return &Staging{it: it}, nil
}

// note writes a note of a run's.
func (it *Item) note(ctx context.Context, n Note, tried string) error {
	body, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return unpublished(err, tried, it.show())
	}
	h := it.Header
	h.RunID = n.RunID
	key := it.Book.StagingKey(h)
	return it.retry(ctx, tried, it.Book.Store.Show(key), func(ctx context.Context) error {
		return it.Book.Store.Put(ctx, key, append(body, '\n'))
	})
}

// below gives the URL of what a run has staged in a directory.
func below(dir, run string) (string, error) {
	u, err := url.Parse(dir)
	if err != nil {
		return "", errors.New("an output's URL is malformed") // which may hold a secret
	}
	return u.JoinPath(store.Hidden, run, "/").String(), nil
}

// Key gives the key at which an object of an output is to be staged, in the output's store;
// of an output that is one object its own key is "".
func (s *Staging) Key(output int, key string) string {
	if s.it.rules.unstaged {
		return s.it.Outputs[output].target(key)
	}
	return s.it.Outputs[output].staged(s.it.Header.RunID, output, key)
}

// mostTries is how often a run replaces a commit that another has made meanwhile, or
// commits anew.
const mostTries = 5

// Publish commits what was staged, or finds that another run was first, and rolls forward
// what is committed. The objects' URLs are not for the caller to say; over is the marker of
// another command that is replaced. An error is a failure with exit code 65 or 73, after
// which a further start rolls forward what may have been committed.
func (s *Staging) Publish(ctx context.Context, v Vacancy, m marker.Marker, objects []Object, over *marker.Entry) (*Settled, error) {
	for range mostTries {
		c, err := s.Commit(ctx, v, m, objects)
		if err != nil {
			return nil, err
		}
		done, vacant, err := c.RollForward(ctx, over)
		switch {
		case err != nil:
			return nil, err
		case done != nil:
			return done, nil
		case c.own == nil: // it is ours, and what we staged is gone
			return nil, s.forgotten()
		}
		v = vacant // theirs was forgotten; ours is still staged
	}
	return nil, s.forgotten()
}

func (s *Staging) forgotten() error {
	return unpublished(errors.New("the commit stands there, what it is of is gone, and there is no marker: somebody has forgotten the item meanwhile"), "publish the outputs", s.it.show())
}

// Commit has one run win: this one, or the one that was first. An error is a failure with
// exit code 65 or 73.
func (s *Staging) Commit(ctx context.Context, v Vacancy, m marker.Marker, objects []Object) (*Committed, error) {
	objects = slices.Clone(objects)
	for n, o := range objects {
		if o.Output < 0 || o.Output >= len(s.it.Outputs) {
			return nil, unpublished(s.it.misfit(o.Output), "commit", s.it.show())
		}
		place := s.it.Outputs[o.Output]
		objects[n].URL = place.Store.Show(place.target(o.Key))
	}
	body, doc, err := Document{Marker: m, Objects: objects}.encode(s.it.Header)
	if err == nil {
		err = s.it.fits(doc)
	}
	if err != nil {
		return nil, unpublished(err, "commit", s.it.show())
	}
	for range mostTries {
		if s.unsure && !s.it.rules.twice {
			return nil, unpublished(errors.New("another run's commit has come meanwhile, perhaps after this one's"), "commit", s.it.show())
		}
		if err := s.it.withdraw(ctx, v); err != nil {
			return nil, err
		}
		var c *Committed
		next := v
		s.sent = true
		err := s.it.retry(ctx, "commit", s.it.show(), func(ctx context.Context) (err error) {
			c, next, err = s.try(ctx, doc, body, v)
			return err
		})
		if err != nil || c != nil {
			return c, err
		}
		v = next
	}
	return nil, unpublished(errors.New("the commit changes all the time"), "commit", s.it.show())
}

// try makes one try, and when the condition failed finds out who was first. Without a
// commit and an error there is another vacancy.
func (s *Staging) try(ctx context.Context, doc Document, body []byte, v Vacancy) (*Committed, Vacancy, error) {
	err := s.swap(ctx, body, v)
	if err == nil {
		return &Committed{it: s.it, standing: standing{Document: doc}}, v, nil
	}
	if kind := store.Classify(err); kind != contract.Exists {
		s.unsure = s.unsure || kind != contract.Conflict
		return nil, v, err
	}
	there, err := s.it.read(ctx)
	switch {
	case err != nil && store.Classify(err) == contract.Absent:
		return nil, Vacancy{}, nil // removed meanwhile
	case err != nil:
		return nil, v, err
	case there.Marker.RunID == s.it.Header.RunID:
		return &Committed{it: s.it, standing: there}, v, nil
	}
	s.sent = false // the condition of what was sent can't hold any more
	switch {
	case s.it.agrees(there):
		return &Committed{it: s.it, standing: there, own: s}, v, nil
	case s.it.Book.OnChange != marker.OnChangeRerun:
		return nil, v, s.it.changed(there)
	}
	v, err = s.it.over(there)
	return nil, v, err
}

func (s *Staging) swap(ctx context.Context, body []byte, v Vacancy) error {
	switch {
	case s.it.rules.unconditional:
		return s.it.Book.Store.Put(ctx, s.it.key(), body)
	case v.old == nil:
		return s.it.Book.Store.Create(ctx, s.it.key(), body)
	}
	return s.it.Book.Store.Replace(ctx, s.it.key(), body, v.old.token)
}

// withdraw removes what the commit that is to be replaced had staged at the same targets,
// before it is replaced: whoever is about to copy that finds nothing then, and can't copy it
// over what comes now.
func (it *Item) withdraw(ctx context.Context, v Vacancy) error {
	if v.old == nil || it.rules.keepOld {
		return nil
	}
	return it.each(ctx, v.old.Document, func(ctx context.Context, to Output, o Object) error {
		key := to.staged(v.old.Marker.RunID, o.Output, o.Key)
		return it.retry(ctx, "remove what a replaced commit had staged", to.Store.Show(key), func(ctx context.Context) error {
			return to.Store.Prune(ctx, key)
		})
	})
}

// each does something for each object of a commit whose target is one of this item's too.
func (it *Item) each(ctx context.Context, doc Document, do func(context.Context, Output, Object) error) error {
	return store.Each(ctx, len(doc.Objects), func(ctx context.Context, n int) error {
		o := doc.Objects[n]
		if at := slices.IndexFunc(it.Outputs, func(to Output) bool {
			return (to.Name != "") == (o.Key == "") && to.Store.Show(to.target(o.Key)) == o.URL
		}); at >= 0 {
			return do(ctx, it.Outputs[at], o)
		}
		return nil
	})
}

// Drop removes what this run has staged, where it goes no further. What may have been
// committed stays, for the next start to roll it forward. It is best effort: an error is
// only told.
func (s *Staging) Drop(ctx context.Context) error {
	if s.sent || s.it.rules.unstaged {
		return nil
	}
	run := s.it.Header.RunID
	for _, o := range s.it.Outputs {
		var keys []string
		err := store.Retry(ctx, s.it.Book.Told, func(ctx context.Context) error {
			keys = nil
			return o.Store.List(ctx, o.staging(run), func(key string, _ int64, _ time.Time) error {
				keys = append(keys, key)
				return nil
			})
		}, nil)
		if err == nil {
			err = s.it.removeAll(ctx, len(keys), func(n int) (Output, string) { return o, keys[n] })
		}
		if err == nil { // what was written half, and the directories of what never came
			err = store.Retry(ctx, s.it.Book.Told, func(ctx context.Context) error {
				_, _, err := o.Store.Sweep(ctx, o.staging(run), true)
				return err
			}, nil)
		}
		if err != nil {
			return store.Fail(err, failure.OneIndex, "remove what was staged", o.Store.Show(o.staging(run)))
		}
	}
	return s.it.forget(ctx, run)
}
