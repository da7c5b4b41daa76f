package file

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"nth/shim/store/contract"
)

// renameNew is linkNew where the file system has no hard links.
func renameNew(tmp, path string, why error) error {
	err := unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return &contract.Error{Kind: contract.Unsupported, Cause: why,
			Hint: "this file system can neither link nor rename without replacing, so two writers could both win; is it a mounted bucket? then use its own URL"}
	case err != nil:
		return &fs.PathError{Op: "renameat2", Path: path, Err: err}
	}
	return nil
}
