package file

import (
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// openUnnamed makes a file in a directory that has no name there yet: a writer that is killed
// leaves nothing, and the directory is written to once instead of three times (open(2),
// O_TMPFILE, since Linux 3.11; network file systems have none).
func openUnnamed(dir string, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(dir, unix.O_TMPFILE|os.O_RDWR, mode)
}

// linkUnnamed gives such a file its name if nobody has it. By way of /proc it needs no
// privilege (linkat(2)).
func linkUnnamed(f *os.File, path string) error {
	old := "/proc/self/fd/" + strconv.Itoa(int(f.Fd()))
	if err := unix.Linkat(unix.AT_FDCWD, old, unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW); err != nil {
		return &os.LinkError{Op: "link", Old: old, New: path, Err: err}
	}
	return nil
}
