package local

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/proc"
	"nth/shim/screen"
)

// child is one running attempt of an index.
type child struct {
	Attempt
	slot     int // in which it runs
	cmd      *exec.Cmd
	process  *proc.Child
	log      string // path of its termination log; empty: none
	out, err *feed

	inside *proc.Signals // of an attempt in this process, which has no more than this
	waits  atomic.Bool   // its command has ended well; for its verdict, or its record
	freed  bool          // and another one has its place
}

// outcome is how an attempt ended.
type outcome struct {
	Attempt
	of      *child         // nil: it could not be started
	code    int            // exit code; 128+n for a signal
	signal  syscall.Signal // what killed nth itself; 0: nothing
	message string         // why, in one line, as far as it is known
	lost    error          // why not all that it wrote to stdout is where that goes
}

func itoa(i int64) string { return strconv.FormatInt(i, 10) }

// catchBrokenPipe makes a write to a closed stdout an error. Without it the Go
// runtime dies of SIGPIPE, which leaves no time to stop the children. (Ignoring
// the signal would be inherited by the children; a handler isn't.)
func catchBrokenPipe() (undo func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGPIPE)
	return func() { signal.Stop(c) }
}

// without gives env without the variables of these names.
func without(env []string, names ...string) []string {
	gone := make(map[string]bool, len(names))
	for _, n := range names {
		gone[n] = true
	}
	kept := make([]string, 0, len(env)+4)
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if !gone[name] {
			kept = append(kept, kv)
		}
	}
	return kept
}

// ownVariables is every variable that decides which index a child is: they are set
// here, or must not be inherited.
var ownVariables = []string{
	"JOB_COMPLETION_INDEX", "NTH_COMPLETIONS", "NTH_INDEX_FAILURES", "NTH_INDEX_IGNORED_FAILURES",
	"NTH_INDEX", "NTH_INDEXES", "NTH_INDEX_ENV", "NTH_INDEX_OFFSET", "NTH_PLATFORM", identity.Slot,
}

// told is what each attempt is told of itself.
func told(completions int64, a Attempt) []string {
	env := []string{"JOB_COMPLETION_INDEX=" + itoa(a.Index), "NTH_COMPLETIONS=" + itoa(completions), "NTH_INDEX_FAILURES=" + strconv.Itoa(a.Number-1)}
	if a.Ignored > 0 {
		env = append(env, "NTH_INDEX_IGNORED_FAILURES="+strconv.Itoa(a.Ignored))
	}
	return env
}

// environ is what the manifest gives a pod of this index, and the slot, which only a machine
// knows.
func (j *job) environ(c *child) []string {
	env := append(j.env[:len(j.env):len(j.env)], told(j.o.Completions, c.Attempt)...)
	env = append(env, identity.Slot+"="+strconv.Itoa(c.slot))
	if c.log != "" {
		env = append(env, "NTH_TERMINATION_LOG="+c.log)
	}
	return env
}

// freeSlot gives the lowest slot in which no child runs. One that is started beside another
// of its index may have one beyond those of --parallelism.
func (j *job) freeSlot() int {
	taken := make([]bool, len(j.running)-j.beside+1)
	for c := range j.running {
		if c.slot < len(taken) && !c.freed {
			taken[c.slot] = true
		}
	}
	slot := 0
	for taken[slot] {
		slot++
	}
	return slot
}

// start starts one attempt, whose end comes over j.ended. An error means that
// there is no child.
func (j *job) start(a Attempt) error {
	if j.o.Inside != nil {
		j.startInside(a)
		return nil
	}
	c := &child{Attempt: a, slot: j.freeSlot(), log: j.newLog(a.Index)}
	c.cmd = exec.Command(j.o.Self, j.o.Args...)
	c.cmd.SysProcAttr = isolated()
	prefix := j.prefix(a.Index)
	var err error
	if c.out, err = newFeed(j.screen, screen.Stdout, prefix); err != nil {
		return err
	}
	if c.err, err = newFeed(j.screen, screen.Stderr, prefix); err != nil {
		c.out.abandon()
		return err
	}
	c.cmd.Stdout, c.cmd.Stderr = c.out.w, c.err.w // stdin: /dev/null
	c.process, err = j.children.Start(j.environ(c), func(env []string) (int, error) {
		c.cmd.Env = env
		if err := c.cmd.Start(); err != nil {
			return 0, err
		}
		return c.cmd.Process.Pid, nil
	})
	c.out.w.Close()
	c.err.w.Close()
	if err != nil {
		c.out.r.Close()
		c.err.r.Close()
		c.removeLog()
		return err
	}
	c.signal = c.cmd.Process.Signal
	c.PID = c.cmd.Process.Pid
	j.running[c] = true
	j.o.Disturber.Began(c.Attempt)
	go c.out.copy()
	go c.err.copy()
	go func() { j.ended <- c.wait(j) }()
	return nil
}

// wait waits for the end of the child, of all that it started, and, unless the Job is
// killed, until what it wrote has been passed on.
func (c *child) wait(j *job) outcome {
	killed := j.killed
	_ = c.cmd.Wait() // ProcessState tells
	c.process.Ended(func(text string) { j.note(j.prefix(c.Index), "nth local: "+text) })
	c.out.finish()
	c.err.finish()
	o := outcome{Attempt: c.Attempt, of: c}
	select {
	case <-c.out.done:
		o.lost = c.out.lost
	case <-killed:
	}
	select {
	case <-c.err.done:
	case <-killed:
	}
	o.message = c.message()
	ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case ok && ws.Signaled():
		o.signal = ws.Signal()
		o.code = failure.SignalOffset + int(o.signal)
	default:
		o.code = c.cmd.ProcessState.ExitCode()
	}
	return o
}

// message gives what nth left in its termination log; else the last line on stderr.
func (c *child) message() string {
	var text string
	if c.log != "" {
		body, _ := os.ReadFile(c.log)
		text = string(body)
		c.removeLog()
	}
	if strings.TrimSpace(text) == "" {
		select {
		case <-c.err.done:
			text = string(c.err.last)
		default: // still being read
		}
	}
	return short(text)
}

func (c *child) removeLog() {
	if c.log != "" {
		os.Remove(c.log)
	}
}

// kill ends the child and its process group at once.
func (c *child) kill() {
	if c.inside != nil {
		c.inside.Kill()
		return
	}
	if c.cmd.Process.Signal(syscall.SIGKILL) == nil {
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// hopeless tells whether a failed start would fail for every other index too,
// unlike a lack of processes, memory or descriptors.
func hopeless(err error) bool {
	for _, e := range []syscall.Errno{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, e) {
			return false
		}
	}
	return true
}

// has tells whether env sets the variable.
func has(env []string, name string) bool {
	for _, kv := range env {
		if strings.HasPrefix(kv, name+"=") {
			return true
		}
	}
	return false
}
