package matrix

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Call is one system call of nth's, before or after the kernel has done it.
type Call struct {
	Name string
	// Paths are the files that it names, or that its descriptors stand for.
	Paths []string
	// Text is what a write writes.
	Text string
	// Done: the call has been made, and this is its result.
	Done   bool
	Result int64
}

// Trace is Run, and shows each system call of the container's PID 1, of all its
// threads in the order in which they happen, to kill; when that says so, the
// container is killed just there: a call that isn't done is never made then. What
// nth itself starts is not traced, and is killed with it.
//
// It is ptrace(2) and not strace(1), whose fault injection counts the calls of each
// thread by itself: which thread makes a call is different in each run.
func Trace(c Container, kill func(Call) bool) (code int, err error) {
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread() // the tracer is a thread; it ends with this goroutine
		code, err = trace(c, kill)
		close(done)
	}()
	<-done
	return code, err
}

// options: new threads are traced too, new processes are not, and all end with the tracer.
const options = unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL

// syscallStop is how wait tells a stop at a system call, by PTRACE_O_TRACESYSGOOD.
const syscallStop = syscall.SIGTRAP | 0x80

func trace(c Container, kill func(Call) bool) (int, error) {
	files, closeFiles, err := c.files()
	if err != nil {
		return 0, err
	}
	attributes := c.attributes()
	attributes.Ptrace = true
	attributes.Setpgid = true // by which its threads are waited for, and no other children
	pid, err := syscall.ForkExec(c.Args[0], c.Args, &syscall.ProcAttr{Dir: c.Dir, Env: c.Env, Files: files, Sys: attributes})
	closeFiles()
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", c.Args[0], err)
	}
	t := &tracer{pid: pid, kill: kill, inside: map[int]*Call{}}
	if err := t.follow(); err != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		return 0, err
	}
	return t.code, nil
}

type tracer struct {
	pid     int
	kill    func(Call) bool
	started bool
	inside  map[int]*Call // the call that each thread is in
	killed  bool
	code    int
}

// follow lets the threads run from stop to stop until the process has ended.
func (t *tracer) follow() error {
	for {
		var status syscall.WaitStatus
		tid, err := syscall.Wait4(-t.pid, &status, unix.WALL|unix.WNOTHREAD, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case tid == t.pid && (status.Exited() || status.Signaled()):
			t.code = code(status)
			return nil
		case status.Stopped():
			if err := t.stopped(tid, status); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err // no such thread: it has been killed meanwhile
			}
		}
	}
}

func (t *tracer) stopped(tid int, status syscall.WaitStatus) error {
	sig := status.StopSignal()
	switch {
	case !t.started: // by the exec
		t.started, sig = true, 0
		if err := syscall.PtraceSetOptions(tid, options); err != nil {
			return err
		}
	case sig == syscallStop:
		sig = 0
		call, err := t.call(tid)
		if err != nil {
			return err
		}
		if call != nil && !t.killed && t.kill(*call) {
			t.killed = true
			return syscall.Kill(t.pid, syscall.SIGKILL)
		}
	case sig == syscall.SIGTRAP, sig == syscall.SIGSTOP: // a new thread, and its first stop
		sig = 0
	}
	return syscall.PtraceSyscall(tid, int(sig))
}

// info is struct ptrace_syscall_info (ptrace(2)), the same for all architectures.
type info struct {
	op   uint8
	_    [3]uint8
	arch uint32
	_    [2]uint64 // instruction and stack pointer
	data [7]uint64 // the call's number and arguments, or its result
	_    [4]uint64 // seccomp
}

const (
	getSyscallInfo = 0x420e // PTRACE_GET_SYSCALL_INFO
	entry          = 1
	exit           = 2
)

// call gives the call at which a thread has stopped; nil for one that is of no interest.
func (t *tracer) call(tid int) (*Call, error) {
	var i info
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, getSyscallInfo, uintptr(tid), unsafe.Sizeof(i), uintptr(unsafe.Pointer(&i)), 0, 0); errno != 0 {
		return nil, errno
	}
	switch i.op {
	case entry:
		delete(t.inside, tid)
		describe, known := calls[i.data[0]]
		if !known {
			return nil, nil
		}
		c := &Call{Name: describe.name}
		for n, what := range describe.args {
			what(&memory{tid}, i.data[n+1:], c)
		}
		t.inside[tid] = c
		return c, nil
	case exit:
		c := t.inside[tid]
		delete(t.inside, tid)
		if c != nil {
			c.Done, c.Result = true, int64(i.data[0])
		}
		return c, nil
	}
	return nil, nil
}

// memory is that of a stopped thread.
type memory struct{ tid int }

// maxText bounds what is read of a write, in bytes.
const maxText = 64 << 10

func (m *memory) bytes(at, n uint64) []byte {
	b := make([]byte, min(n, maxText))
	got, err := syscall.PtracePeekData(m.tid, uintptr(at), b)
	if err != nil {
		return nil
	}
	return b[:got]
}

func (m *memory) path(at uint64) string {
	var s []byte
	for len(s) < unix.PathMax {
		var word [8]byte
		n, err := syscall.PtracePeekData(m.tid, uintptr(at)+uintptr(len(s)), word[:])
		if err != nil || n == 0 {
			return string(s)
		}
		for _, b := range word[:n] {
			if b == 0 {
				return string(s)
			}
			s = append(s, b)
		}
	}
	return string(s)
}

// descriptor gives the file that one stands for.
func (m *memory) descriptor(fd uint64) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", m.tid, int32(fd)))
	return path
}
