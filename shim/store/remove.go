package store

import (
	"context"
	"time"

	"nth/shim/store/contract"
)

// RemovesMany tells whether the store removes several blobs with one request.
func (s *Store) RemovesMany() bool { return s.remover() != nil }

// RemoveMany removes blobs that a listing told of, as Remove does, with as few requests as
// it takes. It gives those that may still be there, and why. The kind Unsupported means that
// this server must be asked for each.
func (s *Store) RemoveMany(ctx context.Context, p Policy, keys []string, notify func(error, time.Duration)) (left []string, err error) {
	r, size := s.remover(), contract.MostRemoved
	left = keys
	err = Retry(ctx, p, func(ctx context.Context) error {
		stay, err := removeSome(ctx, r, left, size)
		left, size = stay, max(1, size/4) // a server that is busy may do a smaller part in time
		return err
	}, notify)
	return left, err
}

// removeSome makes one try, of so many at a time. The error is why something stays.
func removeSome(ctx context.Context, r contract.Remover, keys []string, size int) (stay []string, why error) {
	for len(keys) > 0 {
		some := keys[:min(size, len(keys))]
		errs, err := r.RemoveMany(ctx, some)
		if err != nil {
			return append(stay, keys...), err
		}
		for i, err := range errs {
			if err != nil {
				stay, why = append(stay, some[i]), err
			}
		}
		keys = keys[len(some):]
	}
	return stay, why
}

func (s *Store) remover() (r contract.Remover) {
	s.bucket.As(&r)
	return r
}
