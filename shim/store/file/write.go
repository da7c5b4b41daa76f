//go:build !windows

package file

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gocloud.dev/blob/driver"

	"nth/shim/disk"
	"nth/shim/joint"
	"nth/shim/store/contract"
)

// temporary begins the name of a file that is not a blob yet. No key has such a
// name, so what a killed writer leaves behind is never taken for a blob. It stays
// there: to look for it would mean to read a directory of 100,000 names at each
// write, and a writer on another host may still be at work.
const temporary = ".nth-tmp-"

type writer struct {
	ctx    context.Context
	b      *bucket
	path   string
	file   *os.File
	noName bool          // it has no name yet
	create bool          // only if absent
	mode   contract.Mode // 0: as the umask has it
	cond   contract.Condition
	own    []byte // what is being written
	err    error  // the first; Close publishes nothing then
}

func (b *bucket) NewTypedWriter(ctx context.Context, key, _ string, opts *driver.WriterOptions) (driver.Writer, error) {
	if key == "" {
		return nil, contract.EmptyKey()
	}
	w := &writer{ctx: ctx, b: b, path: b.path(key), create: opts.IfNotExist, mode: contract.ReadMode(opts.Metadata[contract.ModeKey])}
	if err := contract.Ask(opts.BeforeWrite, w.cond.As); err != nil {
		return nil, err
	}
	if err := w.open(); err != nil {
		return nil, err
	}
	return w, nil
}

// open makes the file that isn't a blob yet.
func (w *writer) open() error {
	f, err := guarded(w.ctx, w.b, func() (*os.File, error) {
		if err := w.b.mkdir(filepath.Dir(w.path)); err != nil {
			return nil, w.b.failWrite(err)
		}
		mode := fs.FileMode(0o666)
		if w.mode != 0 {
			mode = fs.FileMode(w.mode)
		}
		if w.create {
			if f, err := openUnnamed(filepath.Dir(w.path), mode); err == nil {
				w.noName = true
				return f, nil
			}
		}
		f, err := os.OpenFile(w.temporary(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		return f, w.b.failWrite(err)
	})
	w.file = f
	return err
}

// temporary gives a new name beside the blob's.
func (w *writer) temporary() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	return filepath.Join(filepath.Dir(w.path), temporary+hex.EncodeToString(random[:]))
}

// written is how much is written with one call, in bytes.
const written = 256 << 10

// Write writes a copy, for the caller's may change when a call was given up; after that
// there is no other one.
func (w *writer) Write(p []byte) (int, error) {
	for done := 0; ; {
		if w.err != nil || done == len(p) {
			return done, w.err
		}
		w.own = append(w.own[:0], p[done:min(done+written, len(p))]...)
		n, err := within(w.ctx, w.b, func() (int, error) { return w.file.Write(w.own) })
		if w.err = w.b.failWrite(err); w.err == nil {
			contract.Came(w.ctx)
		}
		done += n
	}
}

// Upload writes all of r. It is here because the portable layer, which would call
// Write itself, calls Close also after r failed, and Close would publish what came.
func (w *writer) Upload(r io.Reader) error {
	_, err := io.Copy(struct{ io.Writer }{w}, r)
	if w.err == nil {
		w.err = err
	}
	return err
}

// Close puts the file in its place, or leaves nothing.
func (w *writer) Close() error {
	if w.err == nil {
		w.err = context.Cause(w.ctx)
	}
	if w.err != nil {
		w.discard()
		return w.err
	}
	_, err := within(w.ctx, w.b, func() (struct{}, error) {
		err := w.settle()
		if err == nil {
			err = syncDir(filepath.Dir(w.path))
		}
		return struct{}{}, w.b.failWrite(err)
	})
	return err
}

// discard removes the temporary file, though the context may be over.
func (w *writer) discard() {
	disk.Later(w.b.dir, func() {
		w.file.Close()
		if !w.noName {
			os.Remove(w.file.Name())
		}
	})
}

// failWrite is fail for a write, which is never told that something is absent: its
// directory was removed under it, and a further try makes it again.
func (b *bucket) failWrite(err error) error {
	err = b.fail(err)
	if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Absent {
		return &contract.Error{Kind: contract.Unreachable, Cause: e.Cause, Hint: "the directory was removed meanwhile"}
	}
	return err
}

// replace puts the file in the place of one version of another. Writers that do
// so lock the file that they replace; a lock dies with its process.
func replace(ctx context.Context, tmp, path string, want contract.Token) error {
	changed := &contract.Error{Kind: contract.Exists, Cause: errors.New("it is another version by now")}
	old, err := os.OpenFile(path, os.O_RDWR, 0) // flock(2): NFS wants a file that is open for writing
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		old, err = os.Open(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return changed
	}
	if err != nil {
		return err
	}
	defer old.Close()
	if err := lock(ctx, old); err != nil {
		return err
	}
	held, err := old.Stat()
	if err != nil {
		return err
	}
	now, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(held, now) {
		return changed
	}
	if err != nil {
		return err
	}
	have := version(held)
	if body, ok, err := load(old, held); err != nil {
		return err
	} else if ok {
		have = token(held, body)
	}
	if have != want {
		return changed
	}
	return os.Rename(tmp, path)
}

// lock waits for the lock on a file as long as the context lasts: its holder may be
// a process that was stopped.
func lock(ctx context.Context, f *os.File) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return &contract.Error{Kind: contract.Unsupported, Cause: err, Hint: "this file system has no locks, which replacing a blob on condition needs"}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return &contract.Error{Kind: contract.Unreachable, Cause: errors.New("another process holds the lock on it"), Hint: "is there a stopped nth on this volume?"}
		}
	}
}

// syncDir makes a new name last through a crash of the machine. File systems that
// can't sync a directory do it by themselves (EINVAL), and a directory that may
// only be written can't be opened.
func syncDir(dir string) error {
	return syncs.Do(dir, func() error { return syncNow(dir) })
}

// syncs are the calls for each directory, which those who write there at the same time share.
var syncs joint.Calls

func syncNow(dir string) error {
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
