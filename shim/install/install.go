// Package install copies the running binary to where another container finds it.
package install

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nth/shim/failure"
)

// mode lets every user run the copy and nobody change it.
const mode = 0o555

// Copy puts this program at dest, or into dest if it is a directory: whole or
// not at all, under a temporary name first, so that a container which is starting
// never sees half of it, and an init container that is restarted does it again. A
// symbolic link at dest is replaced, never followed. An error is a failure with
// exit code 73, the code of a file that can't be created.
func Copy(dest string) error {
	if info, err := os.Lstat(dest); err == nil && info.IsDir() {
		dest = filepath.Join(dest, "nth")
	}
	if err := replace(dest); err != nil {
		return &failure.Failure{Code: failure.NotRecorded, Tried: "install", On: dest, Cause: err,
			Hint: "name a file in a directory that exists and that this user may write to"}
	}
	return nil
}

func replace(dest string) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	from, err := os.Open(self)
	if err != nil {
		return err
	}
	defer from.Close()
	tmp, err := os.CreateTemp(filepath.Dir(dest), ".nth-install-*")
	if err != nil {
		return err
	}
	defer func() {
		tmp.Close() // a second close after success does nothing
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	if _, err = io.Copy(tmp, from); err != nil {
		return fmt.Errorf("copy %s: %w", self, err)
	}
	if err = tmp.Chmod(mode); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), dest)
}
