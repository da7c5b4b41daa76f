package stage

import (
	"io/fs"
	"syscall"
	"testing"

	"nth/shim/failure"
)

// TestBrokenFile: where nothing may be written no other try helps, and it is said what does.
func TestBrokenFile(t *testing.T) {
	for cause, want := range map[syscall.Errno]struct {
		code failure.Code
		says string
	}{
		syscall.EACCES: {failure.Denied, "let this user read and write there"},
		syscall.EROFS:  {failure.Denied, "with a read-only root, on a volume"},
		syscall.ENOSPC: {failure.Unavailable, "the volume is full: of bytes (df) or of files (df -i)"},
		syscall.EIO:    {failure.Unavailable, "input/output error"},
	} {
		wantCode(t, broken(&fs.PathError{Op: "openat", Path: "x", Err: cause}, tried, "/work/x"), want.code, want.says)
	}
}
