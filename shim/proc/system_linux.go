package proc

import (
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const getTermios = unix.TCGETS

// attributes puts a process in a group of its own, and where nth is not process 1
// lets it die with nth: its successor may start the same item at once.
func attributes(pid1 bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if !pid1 {
		a.Pdeathsig = syscall.SIGKILL
	}
	return a
}

// stopHere stops nth, and returns when it was continued: what is sent to the process, another
// thread may get, and this one go on for a while.
func stopHere() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
}

// becomeSubreaper makes orphans come to nth where it is not process 1 (prctl(2),
// since Linux 3.4). False: the kernel refuses, they go elsewhere.
func becomeSubreaper() bool { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == nil }

// hasChildren tells whether this process has any.
func hasChildren() bool {
	return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil) != unix.ECHILD
}

// isOver tells whether a child has ended, and leaves it unreaped.
func isOver(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	return err == nil && info.Signo != 0
}

// noted stops and continues SIGCHLD's way to the channels: where many commands end each
// second it would cost more than all else, and awaitChild needs none.
func (in *intake) noted(on bool) {
	if on {
		signal.Notify(in.caught, syscall.SIGCHLD)
	} else {
		signal.Reset(syscall.SIGCHLD)
	}
}

// awaitChild returns when a child has ended, and leaves it unreaped: until then nobody
// else can have its number.
func (s *Signals) awaitChild() {
	for unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// awaitEnd returns when a child has ended, and takes the lock before it reaps it: until then
// nobody else can have its number.
func awaitEnd(pid int, lock sync.Locker) (status syscall.WaitStatus, usage syscall.Rusage) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	lock.Lock()
	for {
		if _, err := syscall.Wait4(pid, &status, syscall.WNOHANG, &usage); err != syscall.EINTR {
			return status, usage
		}
	}
}

// without calls f while the signals are blocked, in this thread alone: what f
// starts begins with them blocked, and no other part of nth misses one.
func without(f func(), signals ...syscall.Signal) {
	var set, old unix.Sigset_t
	bits := uint(8 * unsafe.Sizeof(set.Val[0]))
	for _, sig := range signals {
		n := uint(sig) - 1
		set.Val[n/bits] |= 1 << (n % bits)
	}
	if unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old) == nil {
		defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) }()
	}
	f()
}

// maxRSS is in KiB on Linux (getrusage(2)).
func maxRSS(u syscall.Rusage) int64 { return int64(u.Maxrss) << 10 }

// widen asks for a pipe that holds so much; what unprivileged users may have is limited
// (fcntl(2), F_SETPIPE_SZ).
func widen(pipe *os.File, size int) {
	if raw, err := pipe.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { widenTo(int(fd), size) })
	}
}

// widenTo is widen of a pipe that holds less, and gives how much it holds then; 0 or less: it
// is none.
func widenTo(fd, size int) int {
	holds, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
	if err == nil && holds < size {
		if wide, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, size); err == nil {
			return wide
		}
	}
	return holds
}

// splice moves bytes from a pipe to any descriptor that can take them so, without waiting
// (splice(2)).
func splice(from, to, n int) (int, error) {
	moved, err := unix.Splice(from, nil, to, nil, n, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
	return int(moved), err
}

// awaitWritable returns when something can be written, or that would fail.
func awaitWritable(fd int) {
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
}

// readable gives how many bytes are in a pipe.
func readable(fd int) (int, error) {
	n, err := unix.IoctlGetUint32(fd, unix.TIOCINQ)
	return int(n), err
}

// access tells whether this process may execute the file.
func access(path string) error {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
}
