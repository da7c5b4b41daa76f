package chaos

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
)

// stored is all that is below a store's URL.
type stored struct{ *store.Store }

// A store is asked again for this long, and each of its answers may take so long.
var asked = store.Policy{Window: time.Minute, PerCall: 30 * time.Second, Pieces: true}

func (s *stored) name(key string) string { return s.Show(key) }

func (s *stored) stands(ctx context.Context) (there string, err error) {
	err = store.Retry(ctx, store.Policy{Window: 5 * time.Second, PerCall: asked.PerCall}, func(ctx context.Context) error {
		holds, err := s.Holds(ctx)
		if holds {
			there = "something"
		}
		return err
	}, nil)
	return there, s.failed(err, "look into")
}

func (s *stored) aside(ctx context.Context, dir string) (listing, error) {
	var keys []string
	err := store.Retry(ctx, asked, func(ctx context.Context) error {
		keys = nil
		return s.List(ctx, "", func(key string, _ int64, _ time.Time) error {
			keys = append(keys, key)
			return nil
		})
	}, nil)
	if err != nil {
		return nil, s.failed(err, "list")
	}
	all, mu := listing{}, sync.Mutex{}
	err = store.Each(ctx, len(keys), func(ctx context.Context, k int) error {
		if ours(keys[k]) {
			return nil
		}
		e, err := s.fetch(ctx, keys[k], filepath.Join(dir, fmt.Sprint(k)))
		mu.Lock()
		defer mu.Unlock()
		all[keys[k]] = e
		return err
	})
	if err != nil {
		return nil, s.failed(err, "read from")
	}
	err = store.Each(ctx, len(keys), func(ctx context.Context, k int) error {
		return store.Retry(ctx, asked, func(ctx context.Context) error { return s.Remove(ctx, keys[k]) }, nil)
	})
	return all, s.failed(err, "remove what was compared in")
}

// fetch keeps an object in a file.
func (s *stored) fetch(ctx context.Context, key, to string) (e entry, err error) {
	try := 0
	err = store.Retry(ctx, asked, func(ctx context.Context) error {
		part, err := s.Part(ctx, key, "", 0, -1)
		if err != nil {
			return err
		}
		defer part.Close()
		try++
		e, err = write(part, fmt.Sprintf("%s.%d", to, try))
		return err
	}, nil)
	return e, err
}

func (s *stored) failed(err error, tried string) error {
	if err == nil {
		return nil
	}
	return store.Fail(err, failure.TheJob, tried, s.Show(""))
}
