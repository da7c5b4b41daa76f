//go:build !windows

package screen

import (
	"os"

	"golang.org/x/sys/unix"
)

// Size gives the columns and rows of a terminal now, and whether f is one. One that
// doesn't know its size is taken for 80 by 24.
func Size(f *os.File) (cols, rows int, terminal bool) {
	cols, rows = 80, 24
	if f == nil {
		return cols, rows, false
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return cols, rows, false
	}
	if size.Col > 0 {
		cols = int(size.Col)
	}
	if size.Row > 0 {
		rows = int(size.Row)
	}
	return cols, rows, true
}
