//go:build linux && (amd64 || arm64)

package launch

// Wait is a process that waits for nth's end, and what it becomes then.
type Wait struct {
	Name        string  // of the process, 15 bytes at most
	Pipe, Other uintptr // its descriptors 0, which it reads, and 1; 2 or more
	Path        string  // of the program
	Args, Env   []string
}

const (
	prSetName    = 15
	maxFile      = 1<<32 - 1
	beginOfName  = 8
	beginOfRoot  = 24
	mostOfAName  = beginOfRoot - beginOfName - 1
	firstToClose = 2
)

// Await makes a process that becomes the program as soon as nobody has the writing end of
// the pipe any more. Until then it is next to nothing: a session of its own, without
// nth's files, folder or memory (of what MADV_DONTFORK keeps out), and no signal but
// SIGKILL and SIGSTOP reaches it. Its end is no news: wait4(2) neither tells of it nor
// waits for it, but with __WALL. False: it can't be had in this way.
func Await(w Wait) (pid int, ok bool) {
	if raw(sysCloseRange, maxFile, maxFile, 0, 0, 0, 0) != 0 || len(w.Name) > mostOfAName || w.Pipe < firstToClose || w.Other < firstToClose {
		return 0, false
	}
	c := &Child{}
	if !c.reserve(enough) {
		return 0, false
	}
	defer func() { raw(sysMunmap, addr(c.shared), c.size, 0, 0, 0, 0) }() // the process has it all the same
	words, ok := c.lay(w.Path, w.Args, w.Env)
	if !ok {
		return 0, false
	}
	c.all, c.ignore[0] = ^uint64(0), sigIgn
	for sig := uintptr(1); sig <= maxSignal; sig++ {
		if sig != sigKill && sig != sigStop { // what has come meanwhile, a Go program would end by as it begins
			c.call(0, sysRtSigaction, sig, addr(&c.ignore), 0, setSize)
		}
	}
	copy(c.text[beginOfName:], w.Name)
	copy(c.text[beginOfRoot:], "/")
	c.call(^uintptr(0), sysSetsid, 0, 0, 0, 0)
	c.call(^uintptr(0), sysPrctl, prSetName, addr(&c.text[beginOfName]), 0, 0)
	c.call(^uintptr(0), sysChdir, addr(&c.text[beginOfRoot]), 0, 0, 0)
	c.call(0, sysDup3, w.Pipe, 0, 0, 0)
	c.call(1, sysDup3, w.Other, 1, 0, 0)
	c.call(0, sysCloseRange, firstToClose, maxFile, 0, 0)
	c.call(0, sysRead, 0, addr(&c.text[0]), 1, 0)
	c.call(0, sysExecve, words.path, words.argv, words.envp, 0)
	pid = clone(c.shared)
	return pid, pid > 0
}
