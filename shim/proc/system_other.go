//go:build !linux && !windows

package proc

import (
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const getTermios = unix.TIOCGETA

// attributes puts a process in a group of its own. There is no parent-death signal.
func attributes(bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// stopHere stops nth.
func stopHere() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) }

// becomeSubreaper: there are none; orphans go to process 1.
func becomeSubreaper() bool { return false }

// hasChildren is for who is a subreaper.
func hasChildren() bool { return true }

// isOver isn't known here before it is reaped.
func isOver(int) bool { return false }

// noted does nothing: awaitChild lives on SIGCHLD.
func (in *intake) noted(bool) {}

// awaitChild returns when a child may have ended.
func (s *Signals) awaitChild() { <-s.wake.child }

// awaitEnd reaps a child when it has ended, and takes the lock.
func awaitEnd(pid int, lock sync.Locker) (status syscall.WaitStatus, usage syscall.Rusage) {
	for {
		if _, err := syscall.Wait4(pid, &status, 0, &usage); err != syscall.EINTR {
			lock.Lock()
			return status, usage
		}
	}
}

// without calls f. A thread has no mask of its own here that could be reached, so
// SIGTTOU, which would stop a background group that sets the terminal's, is ignored.
func without(f func(), signals ...syscall.Signal) {
	if slices.Contains(signals, syscall.SIGTTOU) {
		signal.Ignore(syscall.SIGTTOU)
	}
	f()
}

// spareMemory does nothing: programs are started by vfork(2), which copies nothing.
func spareMemory() {}

// maxRSS is in bytes here (getrusage(2) of macOS).
func maxRSS(u syscall.Rusage) int64 { return u.Maxrss }

// widen does nothing: such a pipe grows by itself.
func widen(*os.File, int) {}

func widenTo(int, int) int { return 0 }

// splice: nothing here moves what is in a pipe.
func splice(int, int, int) (int, error) { return 0, syscall.ENOSYS }

func awaitWritable(int) {}

// fionread is FIONREAD of the BSDs, which x/sys doesn't name for macOS (sys/filio.h).
const fionread = 0x4004667f

// readable gives how many bytes are in a pipe.
func readable(fd int) (int, error) { return unix.IoctlGetInt(fd, fionread) }

// access tells whether this process may execute the file.
func access(path string) error { return unix.Access(path, unix.X_OK) }
