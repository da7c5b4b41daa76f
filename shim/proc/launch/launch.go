//go:build linux && (amd64 || arm64)

// Package launch starts a program without waiting for it. syscall.ForkExec is vfork(2):
// the thread stands still until the kernel has loaded the program, which takes about as
// long as /bin/true then runs, so who starts thousands of them keeps one CPU busy and no
// other. Here the new process shares nth's memory, as with vfork, and nth goes on: what
// the new process does until it has become the program is a list of system calls in
// assembly, never Go. glibc's posix_spawn(3) is the same, but for the waiting.
//
// It imports nothing: see limit.go.
package launch

import "unsafe"

// Child starts one program at a time: the next when the last one was reaped. All starts
// are from one thread.
type Child struct {
	failed int64 // why there is no program: what the new process's call gave
	all    uint64
	mask   uint64    // of the thread's signals: the program's too
	action [4]uint64 // a struct sigaction, as it is now
	none   [4]uint64 // SIG_DFL
	calls  [mostCalls]call
	fixed  int // calls that are the same each time
	words  words
}

// words are what execve(2) takes, laid out for it.
type words struct {
	text       []byte // all of them, each with its NUL
	ends       []int
	argv, envp []*byte
}

// call is a system call of the new process, and what it must give.
type call struct {
	number uintptr
	args   [4]uintptr
	want   uintptr
}

const (
	mostFiles = 8
	mostCalls = maxSignal + 3 + mostFiles + 3
)

// From the kernel's headers: the same on both architectures.
const (
	maxSignal    = 64
	sigKill      = 9
	sigStop      = 19
	sigIgn       = 1
	sigSetmask   = 2
	setSize      = 8 // bytes of a set of signals
	prSetPdeath  = 1
	rlimitNofile = 7
	fSetFD       = 2
	maxErrno     = 4095
	sharing      = 0x100 | 17 // CLONE_VM, and SIGCHLD at the end
)

// New prepares starts. dies: the program is to die with the thread that starts it
// (PR_SET_PDEATHSIG). Signals that nth ignores now, the programs ignore.
func New(dies bool) *Child {
	c := &Child{all: ^uint64(0)}
	for sig := uintptr(1); sig <= maxSignal; sig++ {
		// Until exec the new process has nth's handlers, that must not run in it.
		if sig != sigKill && sig != sigStop && !c.ignored(sig) {
			c.call(0, sysRtSigaction, sig, addr(&c.none), 0, setSize)
		}
	}
	c.call(0, sysSetpgid, 0, 0, 0, 0)
	if dies {
		c.call(0, sysPrctl, prSetPdeath, sigKill, 0, 0)
		c.call(raw(sysGetpid, 0, 0, 0, 0), sysGetppid, 0, 0, 0, 0) // or it has died before
	}
	return c
}

func (c *Child) ignored(sig uintptr) bool {
	raw(sysRtSigaction, sig, 0, addr(&c.action), setSize)
	return c.action[0] == sigIgn
}

func (c *Child) call(want, number, a, b, d, e uintptr) {
	c.calls[c.fixed] = call{number: number, args: [4]uintptr{a, b, d, e}, want: want}
	c.fixed++
}

// Start starts the program at a path, in a process group of its own, with these open
// files from descriptor 0 on, and gives its process number. It is false where that can't be
// done in this way: syscall.ForkExec can, or tells what is wrong. That there is no such
// program is no error here: Failed tells it.
func (c *Child) Start(path string, args, env []string, files []uintptr) (int, bool) {
	if len(files) > mostFiles || !c.words.lay(path, args, env) {
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
		c.call(0, sysPrlimit64, 0, rlimitNofile, addr(&original), 0)
	}
	c.call(0, sysRtSigprocmask, sigSetmask, addr(&c.mask), 0, setSize)
	c.call(0, sysExecve, addr(&c.words.text[0]), addr(&c.words.argv[0]), addr(&c.words.envp[0]), 0)
	c.failed = 0
	pid := clone(c)
	if pid < 0 {
		return 0, false
	}
	// The new process does that too, but signals to the group mustn't wait for it.
	raw(sysSetpgid, uintptr(pid), uintptr(pid), 0, 0)
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

// lay lays them out; false: a NUL would cut a word.
func (w *words) lay(path string, args, env []string) bool {
	w.text, w.ends = w.text[:0], w.ends[:0]
	if !w.add(path) {
		return false
	}
	for _, list := range [][]string{args, env} {
		for _, word := range list {
			if !w.add(word) {
				return false
			}
		}
	}
	w.argv = w.pointers(w.argv[:0], w.ends[:1+len(args)])
	w.envp = w.pointers(w.envp[:0], w.ends[len(args):])
	return true
}

func (w *words) add(word string) bool {
	for i := range len(word) {
		if word[i] == 0 {
			return false
		}
	}
	w.text = append(append(w.text, word...), 0)
	w.ends = append(w.ends, len(w.text))
	return true
}

// pointers gives those of the words that begin at the ends of others, but for the last.
func (w *words) pointers(list []*byte, starts []int) []*byte {
	for _, at := range starts[:len(starts)-1] {
		list = append(list, &w.text[at])
	}
	return append(list, nil)
}

// addr is for what doesn't move: a Child, for clone's argument escapes, what it has
// made, and variables of the package.
func addr[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// raw makes a system call that doesn't block, and gives its result or minus an error
// number.
func raw(number, a, b, c, d uintptr) uintptr

// clone makes the process that goes through the calls, all signals blocked, and gives
// its number or minus an error number.
func clone(c *Child) int
