package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// racers is how many create one key at the same time; manyRacers says so.
const (
	racers     = 20
	manyRacers = "20"
)

// first is the probe that waits until the store is reachable and knows us.
const first = "absent"

// probe is one question to the store.
type probe struct {
	id, what string
	needed   bool                  // markers can't do without
	after    []string              // those that must have gone well before
	unless   func(*session) string // why it isn't asked all the same
	right    right
	do       func(*session, context.Context) error // one try, of perhaps several
}

// probes is the check, in the order in which it happens.
var probes = []probe{
	{id: "open", what: "open the URL", needed: true, do: (*session).open},
	{id: first, what: "read a key that isn't there", needed: true, after: []string{"open"}, right: toRead, do: (*session).absent},
	{id: "list", what: "list", after: []string{"open"}, unless: (*session).unreached, right: toList, do: (*session).list},
	{id: "stray", what: "look for objects where markers have directories", needed: true, after: []string{first}, right: toRead, do: (*session).stray},
	{id: "create", what: "create if absent", needed: true, after: []string{"open"}, unless: (*session).unremovable, right: toCreate,
		do: func(s *session, ctx context.Context) error {
			s.probe = s.store.NewProbe(s.keyOf("one"))
			return s.write("one", func(string) error { return s.probe.Create(ctx) })
		}},
	{id: "create-again", what: "create again, which must be refused", needed: true, after: []string{"create"}, right: toCreate,
		do: func(s *session, ctx context.Context) error { return s.probe.CreateAgain(ctx) }},
	{id: "read", what: "read it back", needed: true, after: []string{"create"}, right: toRead,
		do: func(s *session, ctx context.Context) error { return s.probe.Read(ctx) }},
	{id: "race", what: "create from " + manyRacers + " places at once, where one must win", needed: true,
		after: []string{"create-again", "read"}, right: toCreate, do: (*session).race},
	{id: "replace", what: "replace the current version", after: []string{"read"}, right: toOverwrite,
		do: func(s *session, ctx context.Context) error { return s.probe.Replace(ctx) }},
	{id: "replace-outdated", what: "replace an outdated version, which must be refused", after: []string{"replace"}, right: toOverwrite,
		do: func(s *session, ctx context.Context) error { return s.probe.ReplaceOutdated(ctx) }},
	{id: "overwrite", what: "overwrite", after: []string{"create"}, right: toOverwrite,
		do: func(s *session, ctx context.Context) error { return s.probe.Put(ctx) }},
	{id: "copy", what: "copy on the server", after: []string{"read"}, right: toCopy, do: (*session).copy},
	{id: "delete", what: "delete", after: []string{"create"}, right: toDelete, do: (*session).delete},
	{id: "gone", what: "read what was deleted", after: []string{"delete", first}, right: toRead, do: (*session).gone},
}

// oneCall are the probes of which each is one request, as those of a run are.
var oneCall = []string{first, "list", "create", "create-again", "read", "replace", "replace-outdated", "overwrite"}

func whatOf(id string) string {
	for _, p := range probes {
		if p.id == id {
			return p.what
		}
	}
	return id
}

// unreached: a store that didn't answer at all isn't asked further.
func (s *session) unreached() string {
	if r := s.report.result(first); r.Status != OK && r.Permission == "" {
		return "it needs: " + r.What
	}
	return ""
}

// unremovable: who may list and gets no answer for an absent key has no right to
// read; and S3 removes nothing of whom it tells nothing.
func (s *session) unremovable() string {
	absent, list := s.report.result(first), s.report.result("list")
	if why := s.unreached(); why != "" {
		return why
	}
	if absent.Status != OK && list.Status == OK {
		return "without reading, the probe could not be removed again"
	}
	return ""
}

func (s *session) open(ctx context.Context) (err error) {
	if s.store, err = store.Open(context.WithoutCancel(ctx), s.URL); err == nil {
		s.store.OnMade(func() { s.made.Store(true) })
	}
	return store.Of("--markers", err)
}

func (s *session) absent(ctx context.Context) error { return s.notThere(ctx, "absent") }
func (s *session) gone(ctx context.Context) error   { return s.notThere(ctx, "one") }

func (s *session) notThere(ctx context.Context, name string) error {
	_, _, err := s.store.Read(ctx, s.keyOf(name))
	switch {
	case err == nil:
		return broken("there is a blob where none is", "is there a cache before the store?")
	case store.Classify(err) == contract.Absent:
		return nil
	}
	return err
}

func (s *session) list(ctx context.Context) error {
	return s.store.List(ctx, s.key, func(key string, _ int64, _ time.Time) error {
		return broken("it lists "+key+", which isn't there", "is there a cache before the store?")
	})
}

// stray looks for an object that has the name of a directory of nth's: some servers then
// list nothing of what is below it (MinIO on a single drive), and it can all be read.
func (s *session) stray(ctx context.Context) error {
	for _, name := range marker.Dirs {
		there, err := s.store.Exists(ctx, name)
		switch {
		case errors.Is(err, contract.ErrDirectory):
		case err != nil:
			return err
		case there:
			return broken("there is an object named "+s.shown(name), "some servers list none of the markers below "+name+"/ then: delete it")
		}
	}
	return nil
}

func (s *session) copy(ctx context.Context) error {
	err := s.write("copy", func(to string) error { return s.store.Bucket().Copy(ctx, to, s.keyOf("one"), nil) })
	if err != nil {
		return err
	}
	body, _, err := s.store.Read(ctx, s.keyOf("copy"))
	if err == nil && !bytes.Equal(body, s.probe.Body()) {
		err = broken("the copy is not what was written", "")
	}
	return err
}

// delete takes it for its own deed when a further try finds nothing.
func (s *session) delete(ctx context.Context) error {
	key := s.keyOf("one")
	err := s.store.Delete(ctx, key)
	if err != nil && store.Classify(err) != contract.Absent {
		return err
	}
	s.forget(key)
	return nil
}

// race lets several create one key at the same time.
func (s *session) race(ctx context.Context) error {
	s.raced++ // a further try is a race for another key
	errs := make([]error, racers)
	name := fmt.Sprintf("race-%d", s.raced)
	_ = s.write(name, func(key string) error {
		start := make(chan struct{})
		var all sync.WaitGroup
		for i := range racers {
			all.Go(func() {
				<-start
				errs[i] = s.store.Create(ctx, key, racer(i))
			})
		}
		close(start)
		all.Wait()
		return nil
	})
	there, _, err := s.store.Read(ctx, s.keyOf(name))
	return judge(errs, there, err)
}

func racer(i int) []byte { return fmt.Appendf(nil, "{\"racer\": %d}\n", i) }

// judge tells whether one racer won, and its blob is there. One whose reply was lost
// may be the winner.
func judge(errs []error, there []byte, readErr error) error {
	winner, winners := -1, 0
	var lost error
	for i, err := range errs {
		switch {
		case err == nil:
			winner = i
			winners++
		case store.Classify(err) != contract.Exists:
			lost = err
			if winners == 0 && bytes.Equal(there, racer(i)) {
				winner = i
			}
		}
	}
	switch {
	case winners > 1:
		return broken(fmt.Sprintf("%d of %d won", winners, len(errs)),
			"it can't keep markers: two runs of one index would both win; use another store, or a version of this server that is atomic")
	case winners == 0 && lost == nil:
		return broken("nobody won", "this server can't do what was asked")
	case readErr != nil && winners == 0 && store.Classify(readErr) == contract.Absent:
		return lost
	case readErr != nil:
		return readErr
	case winner < 0 || !bytes.Equal(there, racer(winner)):
		return broken("what is there is not the winner's", "it can't keep markers: the loser's write replaced the winner's")
	}
	return nil
}

func broken(why, hint string) error {
	return &contract.Error{Kind: contract.Unsupported, Cause: errors.New(why), Hint: hint}
}
