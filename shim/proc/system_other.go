//go:build !linux

package proc

import (
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

const getTermios = unix.TIOCGETA

// attributes puts a process in a group of its own. There is no parent-death signal.
func attributes(bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// becomeSubreaper: there are none; orphans go to process 1.
func becomeSubreaper() {}

// withoutTTOU calls f while SIGTTOU is ignored.
func withoutTTOU(f func()) {
	signal.Ignore(syscall.SIGTTOU)
	f()
}

// maxRSS is in bytes here (getrusage(2) of macOS).
func maxRSS(u syscall.Rusage) int64 { return u.Maxrss }

// access tells whether this process may execute the file.
func access(path string) error { return unix.Access(path, unix.X_OK) }
