//go:build !windows

package proc

import (
	"io"
	"os"
	"syscall"
	"time"

	"nth/shim/proc/launch"
)

// slot is the place of one command after the other among many.
type slot struct {
	process
	one       One
	starter   starter
	pipes     pipes
	timeout   timeout
	leftovers sweep
	cancelled bool   // while it ran
	result    Result // as it was told last
}

// release makes a slot free.
func (c *crew) release(sl *slot) {
	c.free = append(c.free, sl)
	for at := len(c.free) - 1; at > 0 && c.free[at-1].place < sl.place; at-- {
		c.free[at-1], c.free[at] = sl, c.free[at-1]
	}
}

// openNull gives the stdin of commands that are to have none.
func openNull() (*os.File, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, notRunnable(os.DevNull, err, "the commands' stdin is to be empty")
	}
	return null, nil
}

// program is the one that was found last, and what for: most of the time the next
// command's too.
type program struct {
	name, search, path string
	direct             bool // the kernel executes it, no shell
}

// find looks for the program. An error is a failure with exit code 126 or 127.
func (p *program) find(one One) error {
	name, search := one.Args[0], searchPath(one.Env)
	if name == p.name && search == p.search {
		return nil
	}
	path, _, err := find(one.Args, one.Env)
	if err == nil {
		*p = program{name: name, search: search, path: path, direct: isExecuted(path)}
	}
	return err
}

// starter makes the processes of a slot.
type starter struct {
	child    *launch.Child
	attr     *syscall.ProcAttr
	launched bool // by child, and path and args may yet turn out to be no command
	apart    bool // in memory of its own, so that its peak is known
	path     string
	args     []string
}

func newStarter(pid1 bool, stdin uintptr) starter {
	return starter{child: launch.New(!pid1, false), attr: &syscall.ProcAttr{Files: []uintptr{stdin, 1, 2}, Sys: attributes(pid1)}}
}

// start makes the process: where it can without waiting for it to be the command.
func (st *starter) start(p *program, one One) (int, error) {
	st.attr.Env, st.attr.Files = one.Env, st.attr.Files[:3]
	for _, f := range one.Extra {
		st.attr.Files = append(st.attr.Files, f.Fd())
	}
	st.child.Apart(st.apart)
	if p.direct {
		if pid, ok := st.child.Start(p.path, one.Args, one.Env, st.attr.Files); ok {
			st.launched, st.path, st.args = true, p.path, append(st.args[:0], one.Args...)
			return pid, nil
		}
	}
	st.launched = false
	return spawn(p.path, one.Args, st.attr)
}

// apart tells whether the next command begins with memory of its own, which takes longer:
// one in a few does, so that it is known what they need.
func (c *crew) apart() bool {
	n := c.starts
	c.starts++
	spareMemoryAgain(n)
	return n%apartEvery == 0
}

// spareMemoryAgain is spareMemory before the n-th of many starts, from 0: nth's memory grows,
// most of all in the beginning.
func spareMemoryAgain(n int) {
	if n&(n-1) == 0 || n%spareEvery == 0 {
		spareMemory()
	}
}

const (
	apartEvery = 16
	spareEvery = 1024
)

// knowsPeak tells whether the process's peak of memory is all its own.
func (st *starter) knowsPeak() bool { return st.launched && st.apart }

// failed tells, after the end of the process, whether it never was the command.
func (st *starter) failed() error {
	if !st.launched {
		return nil
	}
	if n := st.child.Failed(); n != 0 {
		return explain(st.path, st.args, syscall.Errno(n))
	}
	return nil
}

// pipes are those of a slot's outputs, made for its first command.
type pipes struct {
	made           bool
	stdout, stderr *drainer
}

// makePipes makes them, where anything is wanted of what comes through them.
func (c *crew) makePipes(sl *slot) (err error) {
	if sl.pipes.made {
		return nil
	}
	wanted := func(copy func() io.WriteCloser) io.WriteCloser {
		if copy == nil {
			return nil
		}
		return copy()
	}
	p, files := &sl.pipes, sl.starter.attr.Files
	if p.stdout, err = newDrainer(1, nil, 0, wanted(c.m.Stdout)); err != nil {
		return err
	}
	if p.stderr, err = newDrainer(2, nil, c.m.StderrTail, wanted(c.m.Stderr)); err != nil {
		return err
	}
	files[1], files[2] = p.stdout.or(1), p.stderr.or(2)
	p.made = true
	return nil
}

func (p *pipes) close() {
	p.stdout.close()
	p.stderr.close()
	*p = pipes{}
}

func (c *crew) start(sl *slot, one One) error {
	if err := c.program.find(one); err != nil {
		return err
	}
	if err := c.makePipes(sl); err != nil {
		return err
	}
	sl.starter.apart = c.apart()
	s := c.s
	one.Env = s.kin.mark(one.Env)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.start(&sl.process, func() (int, error) { return sl.starter.start(&c.program, one) }); err != nil {
		return err
	}
	sl.one, sl.cancelled = one, false
	c.limit(sl)
	s.deliver()
	return nil
}

func (c *crew) closePipes() {
	for i := range c.slots {
		c.slots[i].pipes.close()
	}
}

// timeout is a command's time. It is under the lock of Signals, for its timers are
// goroutines.
type timeout struct {
	timer *time.Timer // nil where there is no limit
	runs  int         // tells a timer of an earlier command from this one's
	over  bool
}

// end tells whether the command took too long.
func (t *timeout) end() (over bool) {
	if t.timer != nil {
		t.timer.Stop()
	}
	over, t.over = t.over, false
	return over
}

// limit stops a command that takes too long, and kills it when it doesn't heed that.
func (c *crew) limit(sl *slot) {
	if c.m.Timeout <= 0 {
		return
	}
	sl.timeout.runs++
	c.after(c.m.Timeout, sl, func() {
		sl.timeout.over = true
		sl.send(syscall.SIGTERM, c.s.cfg.Group)
		sl.send(syscall.SIGCONT, c.s.cfg.Group) // a stopped one wouldn't see it
		if c.m.OwnStopGrace > 0 {
			c.after(c.m.OwnStopGrace, sl, func() { sl.send(syscall.SIGKILL, true) })
		}
	})
}

// after calls f if the command of the slot still runs then.
func (c *crew) after(d time.Duration, sl *slot, f func()) {
	runs := sl.timeout.runs
	sl.timeout.timer = time.AfterFunc(d, func() {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		// What has ended may wait for who is to take note of it.
		if sl.phase == running && sl.timeout.runs == runs && !isOver(sl.pid) {
			f()
		}
	})
}
