//go:build !windows

package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nth/shim/store/contract"
)

// swept is what was found of writers that were killed.
type swept struct {
	newest time.Time
	n      int
}

// Sweep removes the temporary files below a directory, or only looks, and the directories
// that are empty then. Links are not followed, and one that leads to the directory is an error.
func (b *bucket) Sweep(ctx context.Context, dir string, remove bool) (time.Time, int, error) {
	s, err := guarded(ctx, b, func() (s swept, err error) {
		root := b.path(strings.TrimSuffix(dir, "/"))
		if err := b.real(root); err != nil {
			return s, err
		}
		var dirs []string
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case d.IsDir():
				dirs = append(dirs, path)
				return nil
			case !d.Type().IsRegular() || !strings.HasPrefix(d.Name(), temporary):
				return nil
			}
			return s.file(path, d, remove)
		})
		for n := len(dirs) - 1; remove && n >= 0; n-- {
			b.prune(dirs[n])
		}
		return s, b.fail(err)
	})
	return s.newest, s.n, err
}

// real refuses a directory to which a link leads from the store's own.
func (b *bucket) real(dir string) error {
	for at := dir; len(at) > len(b.dir); at = filepath.Dir(at) {
		if info, err := os.Lstat(at); err == nil && !info.IsDir() {
			return &contract.Error{Kind: contract.Denied, Cause: fmt.Errorf("%s is no directory: nothing is removed beyond a link", at)}
		}
	}
	return nil
}

func (s *swept) file(path string, d fs.DirEntry, remove bool) error {
	info, err := d.Info()
	if err == nil {
		s.n++
		if info.ModTime().After(s.newest) {
			s.newest = info.ModTime()
		}
	}
	if err == nil && remove {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
