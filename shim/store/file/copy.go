//go:build !windows

package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"gocloud.dev/blob/driver"

	"nth/shim/disk"
	"nth/shim/store/contract"
)

// copied is how much is copied with one call, in bytes: a sign of life for each.
const copied = 32 << 20

// Copy gives the source's file a second name, if the file system can: what is there already
// is replaced in one step, and takes no time and no space, however large it is. Else
// it is copied. The file of a blob never changes, so that two names of one do no harm.
func (b *bucket) Copy(ctx context.Context, dst, src string, opts *driver.CopyOptions) error {
	if err := contract.Ask(opts.BeforeCopy); err != nil {
		return err
	}
	if dst == "" || src == "" {
		return contract.EmptyKey()
	}
	from, err := guarded(ctx, b, func() (*os.File, error) {
		f, err := b.source(src)
		return f, b.fail(err)
	})
	if err != nil {
		return err
	}
	defer disk.Later(b.dir, func() { from.Close() }) // of a file that was only read, it tells nothing
	w := &writer{ctx: ctx, b: b, path: b.path(dst)}
	linked, err := guarded(ctx, b, func() (bool, error) {
		if info, err := from.Stat(); err == nil {
			w.mode = contract.ModeOf(info.Mode()) // for a copy
		}
		linked, err := w.link(from)
		return linked, b.failWrite(err)
	})
	if linked || err != nil {
		return err
	}
	if err := w.open(); err != nil {
		return err
	}
	w.err = w.copy(from)
	return w.Close()
}

// source opens a blob to copy it, and makes its content last: another program may have
// written it.
func (b *bucket) source(key string) (*os.File, error) {
	// What is copied is nth's own. Who put a link in its place would have any file that nth
	// may read published.
	f, err := os.OpenFile(b.path(key), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, syscall.ELOOP) {
		err = &fs.PathError{Op: "copy", Path: b.path(key), Err: contract.ErrNotBlob}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = regular("open", f.Name(), info)
	}
	if err == nil {
		if err = f.Sync(); errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EBADF) {
			err = nil // a file system that syncs by itself, or none that is open for reading
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// link gives a file the blob's name; false: the file system has no links, or none between
// these two places, or the file has as many as it may have.
func (w *writer) link(from *os.File) (bool, error) {
	if err := w.b.mkdir(filepath.Dir(w.path)); err != nil {
		return false, err
	}
	tmp := w.temporary()
	if os.Link(from.Name(), tmp) != nil {
		return false, nil // of what it was, the copy will tell
	}
	defer os.Remove(tmp) // rename(2) leaves it where both are names of one file already
	if !same(from, tmp) {
		return false, nil // a symbolic link, or another version by now
	}
	if err := context.Cause(w.ctx); err != nil {
		return false, err
	}
	if err := w.publish(tmp); err != nil {
		return false, err
	}
	return true, syncDir(filepath.Dir(w.path))
}

func same(f *os.File, path string) bool {
	is, err := f.Stat()
	if err != nil {
		return false
	}
	that, err := os.Lstat(path)
	return err == nil && os.SameFile(is, that)
}

// copy copies all of a file, by the kernel where it can.
func (w *writer) copy(from *os.File) error {
	for {
		n, err := within(w.ctx, w.b, func() (int64, error) { return io.CopyN(w.file, from, copied) })
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return w.b.failWrite(err)
		case n > 0:
			contract.Came(w.ctx)
		}
	}
}
