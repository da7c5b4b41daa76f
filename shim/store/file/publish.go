//go:build !windows

package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"nth/shim/store/contract"
)

// settle gives what was written its name, or leaves nothing.
func (w *writer) settle() error {
	err := w.file.Sync()
	if err == nil && w.noName {
		err = context.Cause(w.ctx)
		if err == nil {
			err = linkUnnamed(w.file, w.path)
		}
		if err == nil || errors.Is(err, fs.ErrExist) {
			w.file.Close()
			return w.onlyBlob(err)
		}
		err = w.withName()
	}
	if closeErr := w.file.Close(); err == nil {
		err = closeErr
	}
	if w.noName {
		return err
	}
	if err == nil {
		err = context.Cause(w.ctx)
	}
	tmp := w.file.Name()
	if err == nil {
		err = w.publish(tmp)
	}
	if err != nil {
		os.Remove(tmp)
	}
	return err
}

// withName copies what was written into a file that has a name, where one without can't be
// linked: there is no /proc, say.
func (w *writer) withName() error {
	from := w.file
	defer from.Close()
	to, err := os.OpenFile(w.temporary(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	w.file, w.noName = to, false
	if info, err := from.Stat(); err == nil {
		_ = to.Chmod(info.Mode().Perm())
	}
	if _, err = from.Seek(0, io.SeekStart); err == nil {
		_, err = io.Copy(to, from)
	}
	if err == nil {
		err = to.Sync()
	}
	return err
}

// publish gives the file its name. Only a blob may stand there.
func (w *writer) publish(tmp string) error {
	var err error
	switch {
	case w.create:
		err = linkNew(tmp, w.path)
	case w.cond.Replaces != "":
		err = replace(w.ctx, tmp, w.path, w.cond.Replaces)
	default:
		err = os.Rename(tmp, w.path)
	}
	return w.onlyBlob(err)
}

// onlyBlob tells when what stands there is no blob.
func (w *writer) onlyBlob(err error) error {
	if errors.Is(err, fs.ErrExist) {
		if info, statErr := os.Stat(w.path); statErr == nil && !info.Mode().IsRegular() {
			return &fs.PathError{Op: "write", Path: w.path, Err: contract.ErrNotBlob}
		}
	}
	return err
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
