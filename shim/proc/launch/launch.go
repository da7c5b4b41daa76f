//go:build linux && (amd64 || arm64)

// Package launch starts a program without waiting for it. syscall.ForkExec is vfork(2):
// the thread stands still until the kernel has loaded the program, which takes about as
// long as /bin/true then runs, so who starts thousands of them keeps one CPU busy and no
// other. Here nth goes on: what the new process does until it has become the program is a
// list of system calls in assembly, never Go.
//
// The new process shares nth's memory, as with vfork, or has some of its own, and as good
// as none (Apart). The list, and the words of the program, are in memory that both share.
//
// It imports nothing: see limit.go.
package launch

import "unsafe"

// Child starts one program at a time: the next when the last one was reaped. Of several
// Childs one starts at a time, from any thread.
type Child struct {
	*shared
	size   uintptr   // of the memory that begins with it
	action [4]uint64 // a struct sigaction, as it is now
	fixed  int       // calls that are the same each time
}

// shared is what the new process reads, at the beginning of memory that it shares with
// nth. The words of the program follow. Nothing in it points to what is nth's own.
type shared struct {
	failed int64 // why there is no program: what the new process's call gave
	flags  uint64
	all    uint64
	mask   uint64    // of the thread's signals: the program's too
	none   [4]uint64 // SIG_DFL
	ignore [4]uint64 // SIG_IGN
	limit  [2]uint64 // of open files
	text   [32]byte  // of calls that take any
	calls  [mostCalls]call
}

// call is a system call of the new process, and what it must give.
type call struct {
	number uintptr
	args   [4]uintptr
	want   uintptr // -1, in assembly: whatever it gives is good (as a result it is EPERM)
}

const (
	mostFiles = 8
	mostCalls = 3 + maxSignal + 3 + mostFiles + 3
)

// From the kernel's headers: the same on both architectures.
const (
	maxSignal    = 64
	sigKill      = 9
	sigStop      = 19
	sigTstp      = 20 // and the two of a terminal that is another's
	sigTtou      = 22
	sigIgn       = 1
	sigSetmask   = 2
	setSize      = 8 // bytes of a set of signals
	prSetPdeath  = 1
	rlimitNofile = 7
	fSetFD       = 2
	maxErrno     = 4095
	sigChld      = 17 // at the end
	cloneVM      = 0x100
	cloneVfork   = 0x4000 // nth's thread waits until there is the program, or none
	protRW       = 3
	mapShared    = 0x21     // MAP_SHARED | MAP_ANONYMOUS
	enough       = 64 << 10 // bytes of memory for nearly all programs
	pointer      = 8
)

// New prepares starts. dies: the program is to die with the thread that starts it
// (PR_SET_PDEATHSIG). waits: Start returns when there is the program, or none. Signals
// that nth ignores now, the programs ignore. Nil: there is no memory for it.
func New(dies, waits bool) *Child {
	c := &Child{}
	if !c.reserve(enough) {
		return nil
	}
	c.all, c.ignore[0], c.limit, c.flags = ^uint64(0), sigIgn, original, cloneVM|sigChld
	if waits {
		c.flags |= cloneVfork
	}
	c.call(0, sysSetpgid, 0, 0, 0, 0)
	c.takeStopsBack()
	for sig := uintptr(1); sig <= maxSignal; sig++ {
		// Until exec the new process has nth's handlers, that must not run in it.
		if sig != sigKill && sig != sigStop && !c.ignored(sig) {
			c.call(0, sysRtSigaction, sig, addr(&c.none), 0, setSize)
		}
	}
	if dies {
		c.call(0, sysPrctl, prSetPdeath, sigKill, 0, 0)
		c.call(raw(sysGetpid, 0, 0, 0, 0, 0, 0), sysGetppid, 0, 0, 0, 0) // or it has died before
	}
	return c
}

// takeStopsBack is for a Ctrl-Z that came to nth's group before the new process has left it: it
// would stop what isn't a program yet, for ever where nth waits for it and has no number, or takes
// no notice of the Ctrl-Z. A signal that is blocked comes even to who ignores it, but is gone as
// soon as it is ignored once more (sigaction(2)), if only for a moment.
func (c *Child) takeStopsBack() {
	for sig := uintptr(sigTstp); sig <= sigTtou; sig++ {
		c.call(0, sysRtSigaction, sig, addr(&c.ignore), 0, setSize)
	}
}

// Ignored tells whether a signal is ignored now, whoever began it.
func Ignored(sig int) bool { return asked.ignored(uintptr(sig)) }

// asked is for a question that comes before there is any Child.
var asked = &Child{}

func (c *Child) ignored(sig uintptr) bool {
	raw(sysRtSigaction, sig, 0, addr(&c.action), setSize, 0, 0)
	return c.action[0] == sigIgn
}

func (c *Child) call(want, number, a, b, d, e uintptr) {
	c.calls[c.fixed] = call{number: number, args: [4]uintptr{a, b, d, e}, want: want}
	c.fixed++
}

// Apart says whether the next programs begin with memory of their own, if they can. The
// kernel begins a program's peak of memory with that of the memory from which it was
// executed: where this is nth's, the program seems to have needed at least as much as nth
// ever did. Memory of its own takes a tenth longer than /bin/true runs. Whoever wants it
// keeps nth's out of it with MADV_DONTFORK (madvise(2)), or it is copied, and counts.
func (c *Child) Apart(apart bool) {
	if c == nil || !CanApart {
		return
	}
	c.flags |= cloneVM
	if apart {
		c.flags &^= cloneVM
	}
}

// Start starts the program at a path, in a process group of its own, with these open
// files from descriptor 0 on, and gives its process number. It is false where that can't be
// done in this way: syscall.ForkExec can, or tells what is wrong. That there is no such
// program is no error here: Failed tells it.
func (c *Child) Start(path string, args, env []string, files []uintptr) (int, bool) {
	if c == nil || len(files) > mostFiles {
		return 0, false
	}
	w, ok := c.lay(path, args, env)
	if !ok {
		return 0, false
	}
	fixed := c.fixed
	defer func() { c.fixed = fixed }()
	for to, from := range files {
		switch to := uintptr(to); {
		case from < to: // which is another one by now
			return 0, false
		case from == to:
			c.call(0, sysFcntl, from, fSetFD, 0, 0) // it stays open
		default:
			c.call(to, sysDup3, from, to, 0, 0)
		}
	}
	if raised() {
		c.call(0, sysPrlimit64, 0, rlimitNofile, addr(&c.limit), 0)
	}
	c.call(0, sysRtSigprocmask, sigSetmask, addr(&c.mask), 0, setSize)
	c.call(0, sysExecve, w.path, w.argv, w.envp, 0)
	c.failed = 0
	pid := clone(c.shared)
	if pid < 0 {
		return 0, false
	}
	// The new process does that too, but signals to the group mustn't wait for it.
	raw(sysSetpgid, uintptr(pid), uintptr(pid), 0, 0, 0, 0)
	return pid, true
}

// Failed tells, when the process was reaped, the error number (errno) for which there was
// no program; 0: there was one.
func (c *Child) Failed() int {
	switch {
	case c.failed < 0 && c.failed >= -maxErrno:
		return int(-c.failed)
	case c.failed != 0:
		return maxErrno // a call that gave what it never gives
	}
	return 0
}

// addr is for what doesn't move: what is shared, a Child (it is on the heap, for New gives
// it away), and variables of the package.
func addr[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// raw makes a system call that doesn't block, and gives its result or minus an error
// number.
func raw(number, a, b, c, d, e, f uintptr) uintptr

// clone makes the process that goes through the calls, all signals blocked, and gives
// its number or minus an error number.
func clone(c *shared) int
