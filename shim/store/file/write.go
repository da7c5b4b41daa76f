package file

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

// temporary begins the name of a file that is not a blob yet. No key has such a
// name, so what a killed writer leaves behind is never taken for a blob.
const temporary = ".nth-tmp-"

type writer struct {
	ctx    context.Context
	b      *bucket
	path   string
	file   *os.File
	create bool // only if absent
	cond   contract.Condition
}

func (b *bucket) NewTypedWriter(ctx context.Context, key, _ string, opts *driver.WriterOptions) (driver.Writer, error) {
	w := &writer{ctx: ctx, b: b, path: b.path(key), create: opts.IfNotExist}
	if opts.BeforeWrite != nil {
		if err := opts.BeforeWrite(func(i any) bool {
			c, ok := i.(**contract.Condition)
			if ok {
				*c = &w.cond
			}
			return ok
		}); err != nil {
			return nil, err
		}
	}
	if err := b.mkdir(filepath.Dir(w.path)); err != nil {
		return nil, err
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	name := filepath.Join(filepath.Dir(w.path), temporary+hex.EncodeToString(random[:]))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, b.fail(err)
	}
	w.file = f
	return w, nil
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	return n, w.b.fail(err)
}

// Close puts the file in its place, or leaves nothing.
func (w *writer) Close() error {
	err := w.ctx.Err()
	if err == nil {
		err = w.file.Sync()
	}
	if closeErr := w.file.Close(); err == nil {
		err = closeErr
	}
	tmp := w.file.Name()
	if err == nil {
		err = w.publish(tmp)
	}
	if err != nil {
		os.Remove(tmp)
	} else {
		err = syncDir(filepath.Dir(w.path))
	}
	if e, ok := err.(*contract.Error); ok {
		return e
	}
	if ctxErr := w.ctx.Err(); ctxErr != nil && err == ctxErr {
		return err
	}
	return w.b.fail(err)
}

func (w *writer) publish(tmp string) error {
	switch {
	case w.create:
		return linkNew(tmp, w.path)
	case w.cond.Replaces != "":
		return replace(tmp, w.path, w.cond.Replaces)
	}
	return os.Rename(tmp, w.path)
}

// linkNew gives the file its name if nobody has it: one of any number of writers
// wins, also on network file systems.
func linkNew(tmp, path string) error {
	err := os.Link(tmp, path)
	switch {
	case err == nil:
		os.Remove(tmp)
		return nil
	case errors.Is(err, fs.ErrExist):
		// link(2), NFS: the reply may be lost and the call repeated by the client;
		// a second name tells that it was our own.
		if info, statErr := os.Stat(tmp); statErr == nil {
			if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Nlink > 1 {
				os.Remove(tmp)
				return nil
			}
		}
		return err
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.EMLINK):
		return renameNew(tmp, path, err)
	}
	return err
}

// replace puts the file in the place of one version of another. Writers that do
// so lock the file that they replace; a lock dies with its process.
func replace(tmp, path string, token contract.Token) error {
	changed := &contract.Error{Kind: contract.Exists, Cause: errors.New("it is another version by now")}
	old, err := os.OpenFile(path, os.O_RDWR, 0) // flock(2): NFS wants a file that is open for writing
	if errors.Is(err, fs.ErrPermission) {
		old, err = os.Open(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return changed
	}
	if err != nil {
		return err
	}
	defer old.Close()
	for err = syscall.Flock(int(old.Fd()), syscall.LOCK_EX); errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(old.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		return &contract.Error{Kind: contract.Unusable, Cause: err, Hint: "this file system has no locks, which replacing a blob on condition needs"}
	}
	held, err := old.Stat()
	if err != nil {
		return err
	}
	now, err := os.Stat(path)
	if err != nil || !os.SameFile(held, now) || version(now) != token {
		return changed
	}
	return os.Rename(tmp, path)
}

// mkdir makes the directories below the bucket's, and the bucket's own last one.
func (b *bucket) mkdir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if missing := b.unmounted(); missing != "" {
		return b.fail(&fs.PathError{Op: "mkdir", Path: dir, Err: fs.ErrNotExist})
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return b.fail(err)
	}
	for d := dir; len(d) >= len(b.dir) && d != "/"; d = filepath.Dir(d) {
		if err := syncDir(filepath.Dir(d)); err != nil {
			return b.fail(err)
		}
	}
	return nil
}

// syncDir makes a new name last through a crash of the machine. File systems that
// can't sync a directory do it by themselves (EINVAL), and a directory that may
// only be written can't be opened.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
