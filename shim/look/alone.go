package look

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"syscall"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// alone looks for each input of a place by itself.
func (f *finder) alone(ctx context.Context, p *place) error {
	if p.kind != object {
		for i := range p.entries {
			if err := f.first(ctx, p, &p.entries[i]); err != nil {
				return err
			}
		}
		return nil
	}
	var mu sync.Mutex
	return store.Each(ctx, len(p.entries), func(ctx context.Context, i int) error {
		if i > 0 && p.entries[i].key == p.entries[i-1].key {
			return nil // once is enough
		}
		size, there, err := f.one(ctx, p, &p.entries[i])
		if err != nil || !there {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for k := i; k < len(p.entries) && p.entries[k].key == p.entries[i].key; k++ {
			p.sees(&p.entries[k], size)
		}
		return nil
	})
}

// first looks for the first object of a directory or a glob.
func (f *finder) first(ctx context.Context, p *place, e *entry) error {
	dir := dirOf(e.key)
	s, err := f.Stores.Open(ctx, p.url(dir))
	if err != nil {
		return unlooked(err)
	}
	defer s.Close()
	for next := s.Entries(e.key[len(dir):]); !e.found; {
		at, err := f.next(ctx, next)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return unlooked(store.Fail(err, failure.TheJob, "look for the input", s.Show(e.key[len(dir):])))
		}
		p.meet(dir+at.Key, at.Size)
	}
	return nil
}

// next gives the next object of a listing, and io.EOF at its end.
func (f *finder) next(ctx context.Context, next func(context.Context) (store.Entry, error)) (e store.Entry, err error) {
	ended := false
	err = store.Retry(ctx, f.Policy, func(ctx context.Context) (err error) {
		if e, err = next(ctx); err == io.EOF {
			ended, err = true, nil
		}
		return err
	}, nil)
	if ended {
		err = io.EOF
	}
	return e, err
}

// one looks for one object.
func (f *finder) one(ctx context.Context, p *place, e *entry) (size int64, there bool, err error) {
	if p.path {
		info, err := f.Stat(ctx, e.key)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			return 0, false, nil
		}
		if err != nil || !info.Mode().IsRegular() {
			return 1, true, nil // a run tells what is wrong with it
		}
		return info.Size(), true, nil
	}
	s, key, err := f.Stores.OpenObject(ctx, p.url(e.key))
	if err != nil {
		return 0, false, unlooked(err)
	}
	defer s.Close()
	var at store.Entry
	err = store.Retry(ctx, f.Policy, func(ctx context.Context) (err error) {
		at, err = s.Stat(ctx, key)
		return err
	}, nil)
	switch {
	case err == nil:
		return at.Size, true, nil
	case store.Classify(err) == contract.Absent:
		return 0, false, nil
	case errors.Is(err, contract.ErrDirectory), contract.Blocked(err):
		return 1, p.read.Name == "--require", nil
	}
	return 0, false, unlooked(store.Fail(err, failure.TheJob, "look for the input", s.Show(key)))
}
