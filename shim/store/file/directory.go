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
	"syscall"

	"nth/shim/store/contract"
)

// Find tells whether the directory is there. From now on it must be: whoever only looks at
// a Job takes none that isn't there for one of which nothing is done.
func (b *bucket) Find(ctx context.Context) error {
	b.wanted.Store(true)
	_, err := guarded(ctx, b, func() (struct{}, error) { return struct{}{}, b.find() })
	return err
}

// Make makes the directory if it isn't there, and may be made. From now on it must be
// there: one that goes away meanwhile is a volume's that was unmounted.
func (b *bucket) Make(ctx context.Context) error {
	if b.seen.Load() {
		return nil // what asks for something in it finds out
	}
	_, err := guarded(ctx, b, func() (struct{}, error) {
		if err := b.mkdir(b.dir); err != nil {
			return struct{}{}, b.failWrite(err)
		}
		b.wanted.Store(true)
		return struct{}{}, b.find() // a link that leads nowhere exists, and is none
	})
	return err
}

// OnMade has f called when the directory was made.
func (b *bucket) OnMade(f func()) { b.made = f }

func (b *bucket) find() error {
	info, err := os.Stat(b.dir)
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: b.dir, Err: syscall.ENOTDIR}
	}
	if err == nil {
		b.seen.Store(true)
	}
	return b.fail(err)
}

// there tells whether the directory is there, or could be made: its parent is.
func (b *bucket) there() error {
	_, err := os.Stat(b.dir)
	switch {
	case err == nil:
		return nil
	case b.wanted.Load():
		return b.missing()
	case b.createDir:
		return nil
	}
	parent := filepath.Dir(b.dir)
	_, err = os.Stat(parent)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("the directory %s does not exist", parent)
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: err,
		Hint: "is the volume mounted? create_dir=true in the URL makes directories"}
}

// missing is the error for a directory that must be there.
func (b *bucket) missing() error {
	hint := "is the volume mounted? the Job's first run makes it, and so does nth check"
	if b.seen.Load() {
		hint = "it was there before: is the volume still mounted?"
	}
	part := filepath.Dir(b.dir)
	for part != "/" {
		if _, err := os.Stat(part); err == nil {
			break
		}
		part = filepath.Dir(part)
	}
	return &contract.Error{Kind: contract.Unreachable, Hint: hint,
		Cause: fmt.Errorf("the directory %s does not exist, only %s of its path does", b.dir, part)}
}

// mkdir makes the directories below the bucket's, and the bucket's own last one;
// with create_dir=true those above too.
func (b *bucket) mkdir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := b.there(); err != nil {
		return err
	}
	if dir != "/" && (b.createDir || strings.HasPrefix(dir, strings.TrimSuffix(b.dir, "/")+"/")) {
		if err := b.mkdir(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	err := os.Mkdir(dir, 0o777)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err == nil && dir == b.dir && b.made != nil {
		b.made()
	}
	return syncDir(filepath.Dir(dir))
}
