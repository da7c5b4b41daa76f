package memory

import (
	"os"

	"golang.org/x/sys/unix"
)

// File gives a file that is nowhere, with this content, at its beginning: a root
// file system may be read-only, and an image may have no /tmp.
func File(content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("nth-task", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "task")
	if _, err := f.Write(content); err != nil {
		f.Close()
		return nil, err
	}
	_, err = f.Seek(0, 0)
	return f, err
}
