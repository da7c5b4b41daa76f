package screen

import (
	"os"

	"golang.org/x/sys/windows"
)

// Size gives the columns and rows of a console now, and whether f is one; else 80 by 24.
func Size(f *os.File) (cols, rows int, terminal bool) {
	if f == nil {
		return 80, 24, false
	}
	var info windows.ConsoleScreenBufferInfo
	if err := windows.GetConsoleScreenBufferInfo(windows.Handle(f.Fd()), &info); err != nil {
		return 80, 24, false
	}
	return int(info.Window.Right-info.Window.Left) + 1, int(info.Window.Bottom-info.Window.Top) + 1, true
}
