//go:build !windows

package file

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"nth/shim/store/contract"
)

// errFound ends a walk.
var errFound = errors.New("found")

// Holds looks for one file below the directory, whatever its name: others than nth may have
// put it there.
func (b *bucket) Holds(ctx context.Context) (bool, error) {
	return guarded(ctx, b, func() (bool, error) {
		err := b.look(ctx, b.dir)
		switch {
		case err == errFound:
			return true, nil
		case errors.Is(err, syscall.ENOTDIR): // a file stands there
			return false, nil
		}
		if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Absent {
			err = nil // the directory is missing, in one that is there
		}
		return false, err
	})
}

// look ends with errFound where a file is.
func (b *bucket) look(ctx context.Context, path string) error {
	return b.entries(ctx, path, func(entry fs.DirEntry) error {
		switch {
		case !entry.IsDir() && strings.HasPrefix(entry.Name(), temporary):
			return nil
		case !entry.IsDir():
			return errFound
		}
		err := b.look(ctx, filepath.Join(path, entry.Name()))
		if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Absent {
			return nil // deleted meanwhile
		}
		return err
	})
}
