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

	"golang.org/x/sys/unix"

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
	if _, err := os.Stat(b.dir); err == nil {
		return nil
	}
	if b.wanted.Load() {
		return b.missing()
	}
	parent := filepath.Dir(b.dir)
	_, err := os.Stat(parent)
	first, in := lacking(b.dir)
	switch to := leadsTo(first); {
	case to != nil:
		return to
	case err == nil || b.createDir:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return b.fail(err)
	}
	e := &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("the directory %s does not exist", parent),
		Hint: "is the volume mounted? create_dir=true in the URL makes directories"}
	if first != parent {
		e.Cause = fmt.Errorf("%w, only %s of its path does", e.Cause, in)
	}
	if unix.Access(in, unix.W_OK|unix.X_OK) != nil {
		e.Hint = "is the volume mounted? this user may make nothing in " + in
	}
	return e
}

// missing is the error for a directory that must be there.
func (b *bucket) missing() error {
	hint := "is the volume mounted? the Job's first run makes it, and so does nth check"
	if b.seen.Load() {
		hint = "it was there before: is the volume still mounted?"
	}
	first, in := lacking(b.dir)
	if to := leadsTo(first); to != nil {
		return to
	}
	return &contract.Error{Kind: contract.Unreachable, Hint: hint,
		Cause: fmt.Errorf("the directory %s does not exist, only %s of its path does", b.dir, in)}
}

// lacking gives the first of a directory's path that isn't there, and what it isn't in.
func lacking(dir string) (first, in string) {
	for first, in = dir, filepath.Dir(dir); in != "/"; first, in = in, filepath.Dir(in) {
		if _, err := os.Stat(in); err == nil {
			break
		}
	}
	return first, in
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// leadsTo is the error for a link that leads nowhere, which nothing can be made behind; nil:
// it is none.
func leadsTo(link string) error {
	to, err := os.Readlink(link)
	if err != nil {
		return nil
	}
	if _, err := os.Stat(link); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("the link %s leads to %s, which does not exist", link, to),
		Hint: "is the volume mounted that it leads to? nth makes no directory behind a link"}
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
	if errors.Is(err, fs.ErrPermission) {
		return &contract.Error{Kind: contract.Denied, Cause: err, Hint: "let this user make directories in " + filepath.Dir(dir)}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err == nil && dir == b.dir && b.made != nil {
		b.made()
	}
	return syncDir(filepath.Dir(dir))
}
