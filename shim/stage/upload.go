package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/transfer"
)

// Staged is a file of an output that was uploaded.
type Staged struct {
	Key  string // below the output, "" for an output that is one file
	Sum  transfer.Sum
	Mode fs.FileMode
}

// Upload writes the files of an output to a store, each as the blob that key gives for it,
// whatever is there. They are those that were collected, as they were then, or there is an
// error: a failure with exit code 73, after which some of them may be there.
func (g *Stage) Upload(ctx context.Context, o *Output, s *store.Store, key func(File) string) ([]Staged, error) {
	var root *os.Root
	err := within(ctx, o.dir, func() (err error) {
		root, err = os.OpenRoot(o.dir)
		return err
	})
	if err != nil {
		return nil, o.kind.unsent(err, o.Path)
	}
	defer root.Close()
	all := make([]Staged, len(o.Files))
	err = store.Each(ctx, len(o.Files), func(ctx context.Context, k int) error {
		f := o.Files[k]
		sum, err := g.send(ctx, o, root, f, s, key(f))
		if err != nil {
			on := s.Show(key(f))
			if isFile(err) || errors.Is(err, transfer.ErrChanged) {
				on = filepath.Join(o.dir, f.at)
			}
			return o.kind.unsent(err, on)
		}
		all[k] = Staged{f.Key, sum, f.Mode}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (k Kind) unsent(err error, on string) error {
	f := *broken(err, "upload the "+k.name, on)
	f.Code = failure.NotRecorded
	if errors.Is(err, transfer.ErrChanged) {
		f.Hint = k.hint
	}
	return &f
}

// send uploads a file, if it is the one that was collected, and still is afterwards.
func (g *Stage) send(ctx context.Context, o *Output, root *os.Root, f File, s *store.Store, key string) (transfer.Sum, error) {
	var from *os.File
	err := within(ctx, o.dir, func() error {
		if err := o.same(root, f); err != nil {
			return err
		}
		file, err := root.Open(f.at)
		if err != nil {
			return err
		}
		info, err := file.Stat()
		if err == nil && !os.SameFile(info, f.info) {
			err = fmt.Errorf("%w: another one has its name", transfer.ErrChanged)
		}
		if err != nil {
			file.Close()
			return err
		}
		from = file
		return nil
	})
	if err != nil {
		return transfer.Sum{}, err
	}
	defer from.Close()
	sum, err := g.Mover.Upload(ctx, s, key, from)
	if err != nil {
		return transfer.Sum{}, err
	}
	return sum, within(ctx, o.dir, func() error { return o.same(root, f) })
}

// same tells whether a file is the one that was collected, and as it was.
func (o *Output) same(root *os.Root, f File) error {
	now, err := root.Lstat(f.at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: it is gone", transfer.ErrChanged)
	case err != nil:
		return err
	case !os.SameFile(now, f.info):
		return fmt.Errorf("%w: another one has its name", transfer.ErrChanged)
	case !Same(f.info, now):
		return fmt.Errorf("%w: %s", transfer.ErrChanged, o.kind.late)
	}
	return nil
}
