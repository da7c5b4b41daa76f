//go:build !windows

package file

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nth/shim/store/contract"
)

// mountinfo is Linux's table of what this process sees mounted: proc_pid_mountinfo(5).
const mountinfo = "/proc/self/mountinfo"

const hintMount = "mount the volume, or take mountpoint out of the URL"

// setMountpoint takes the parameter of this name: a directory at which something must be
// mounted, the URL's own or one above it. Empty is none, so that what nth manifest adds can be
// taken away.
func (b *bucket) setMountpoint(value string) error {
	if value == "" {
		return nil
	}
	at := filepath.Clean(value)
	if !filepath.IsAbs(at) || at == "/" || at != b.dir && !strings.HasPrefix(b.dir, at+"/") {
		return errors.New("it is where the volume is mounted: the URL's own directory, or one above it but /")
	}
	if _, err := os.Stat(mountinfo); err != nil {
		return &contract.Error{Kind: contract.Invalid, Hint: "take mountpoint out of the URL",
			Cause: fmt.Errorf("the parameter mountpoint: this system doesn't tell what is mounted: %w", err)}
	}
	b.mountpoint = at
	return nil
}

// onVolume tells whether the volume is mounted that the URL wants. What holds for one node
// alone is no matter of the whole Job, and a volume may be mounted late.
func (b *bucket) onVolume() error {
	if b.mountpoint == "" {
		return nil
	}
	mounted, err := isMountpoint(b.mountpoint)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("the directory %s, where a volume should be mounted, does not exist", b.mountpoint)
	case err == nil && !mounted:
		err = fmt.Errorf("nothing is mounted at %s", b.mountpoint)
	case errors.Is(err, fs.ErrPermission):
		return b.fail(err)
	case err == nil:
		return nil
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: err, Hint: hintMount}
}

// isMountpoint tells whether something is mounted at a directory. The number of its device
// doesn't tell: another directory of the same file system may be (mount --bind).
func isMountpoint(dir string) (bool, error) {
	if _, err := os.Stat(dir + "/."); err != nil { // what an automounter waits for
		return false, err
	}
	at, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false, err
	}
	table, err := os.ReadFile(mountinfo)
	return mountedAt(table, at), err
}

// mountedAt reads such a table, whose fifth field is where something is mounted.
func mountedAt(table []byte, dir string) bool {
	for row := range bytes.Lines(table) {
		if fields := bytes.SplitN(row, []byte(" "), 6); len(fields) == 6 && unmangle(fields[4]) == dir {
			return true
		}
	}
	return false
}

// unmangle gives a name as it is: Linux writes what would end a field, and the backslash, as
// one and three octal digits.
func unmangle(field []byte) string {
	var name strings.Builder
	for i := 0; i < len(field); i++ {
		c := field[i]
		if c == '\\' && i+3 < len(field) && octal(field[i+1], '3') && octal(field[i+2], '7') && octal(field[i+3], '7') {
			c = (field[i+1]-'0')<<6 | (field[i+2]-'0')<<3 | (field[i+3] - '0')
			i += 3
		}
		name.WriteByte(c)
	}
	return name.String()
}

func octal(c, most byte) bool { return '0' <= c && c <= most }
