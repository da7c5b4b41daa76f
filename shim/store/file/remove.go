//go:build !windows

package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"nth/shim/store/contract"
)

// RemoveMany removes files, and then syncs each of their directories once.
func (b *bucket) RemoveMany(ctx context.Context, keys []string) ([]error, error) {
	return guarded(ctx, b, func() ([]error, error) {
		errs, dirs := make([]error, len(keys)), map[string]bool{}
		for i, key := range keys {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			contract.Came(ctx)
			path := b.path(key)
			_, err := b.stat(key)
			if err == nil {
				err = os.Remove(path)
			}
			dirs[filepath.Dir(path)] = true // also of one that has gone: by an earlier try, perhaps
			if e, ok := errors.AsType[*contract.Error](b.fail(err)); ok && e.Kind != contract.Absent {
				errs[i] = e
			}
		}
		for dir := range dirs {
			if err := syncDir(dir); err != nil {
				return nil, b.fail(err)
			}
		}
		return errs, nil
	})
}
