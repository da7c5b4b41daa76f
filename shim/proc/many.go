package proc

import (
	"io"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"nth/shim/proc/launch"
)

// Many is what is run one after the other, some of it at the same time.
type Many struct {
	Jobs int // at the same time
	// The others are a Command's, for each of them.
	StderrTail              int
	StopGrace, OwnStopGrace time.Duration
	SweepGrace, Timeout     time.Duration
	// Stdout and Stderr give a writer for a copy of what commands write there, as many at
	// the same time as there are jobs; they may be nil.
	Stdout, Stderr func() io.WriteCloser
	Log            zerolog.Logger
	OnStop         func() // is called when a stop signal has come; it may be nil
	// Next gives the next command; false: there is none any more.
	Next func() (One, bool)
	// Ended is told how a command ended, or with an error, which is a failure, why it
	// didn't start; false: start no more.
	Ended func(One, *Result, error) bool
}

// One of them. Its stdin is empty. Args, Env and Extra are of no use once it has started.
type One struct {
	Item      int64
	Payload   string // the caller's own
	Args, Env []string
	Extra     []*os.File // its descriptors from 3 on
}

// RunMany starts commands until there are none, passes signals on to all of them, reaps,
// and returns when they and what they left behind have ended. A stop signal starts no
// more. Next and Ended are called from here alone. The error is ErrStopped, before
// there was a command, or a failure.
func (s *Signals) RunMany(m Many) error {
	runtime.LockOSThread() // as in Run
	null, err := os.Open(os.DevNull)
	if err != nil {
		return notRunnable(os.DevNull, err, "the commands' stdin is to be empty")
	}
	defer null.Close()
	if !s.pid1 {
		becomeSubreaper()
	}
	makeSpareThreads(m.Stdout != nil || m.Stderr != nil)
	c := &crew{s: s, m: m, slots: make([]slot, m.Jobs), oom: oomKills()}
	for i := range c.slots {
		c.slots[i].child = launch.New(!s.pid1)
		c.slots[i].attr = &syscall.ProcAttr{Files: []uintptr{null.Fd(), 1, 2}, Sys: attributes(s.pid1)}
		c.free = append(c.free, &c.slots[i])
	}
	s.mu.Lock()
	if s.ctx.Err() != nil {
		s.mu.Unlock()
		return ErrStopped
	}
	s.phase, s.crew, s.pid = running, c, 0
	s.mu.Unlock()
	done := make(chan struct{})
	go c.stopped(done)
	s.noted(false)
	c.run()
	s.noted(true)
	close(done)
	if s.pid1 {
		c.sweepEscaped()
	}
	s.mu.Lock()
	s.phase, s.crew = over, nil
	s.mu.Unlock()
	for i := range c.slots {
		c.slots[i].stdout.close()
		c.slots[i].stderr.close()
	}
	return nil
}

// sweepEscaped ends what left the commands' groups, where nth is process 1.
func (c *crew) sweepEscaped() {
	c.s.mu.Lock()
	c.s.phase = swept
	killAt := c.killAt
	c.s.mu.Unlock()
	cmd := Command{StopGrace: c.m.StopGrace, SweepGrace: c.m.SweepGrace, Log: c.m.Log}
	(&runner{s: c.s, cmd: cmd, tty: &terminal{fd: -1}, ended: true, killAt: killAt}).sweep()
}

// crew are the commands that run at the same time. What signals need of it is under the
// lock of Signals.
type crew struct {
	s      *Signals
	m      Many
	slots  []slot
	free   []*slot
	swept  int  // slots whose leftovers are being ended
	over   bool // no more are started
	killAt time.Time
	oom    int64

	name, search, path string // the program that was found last, and for what
	direct             bool   // the kernel executes it, no shell
}

func (c *crew) run() {
	for {
		for len(c.free) > 0 && !c.over {
			c.next()
		}
		if len(c.free) == len(c.slots) {
			return
		}
		if c.swept == 0 {
			c.s.awaitChild()
		}
		for c.reap() && len(c.free) == 0 { // a free slot comes first: what else has ended, waits
		}
		if c.swept > 0 {
			c.sweep()
		}
	}
}

// next starts a command, if there is one.
func (c *crew) next() {
	_, stopped := c.s.Stopped()
	if stopped {
		c.over = true
		return
	}
	one, ok := c.m.Next()
	if !ok {
		c.over = true
		return
	}
	sl := c.free[len(c.free)-1]
	err := c.start(sl, one)
	switch {
	case err == ErrStopped:
		c.over = true
	case err != nil:
		c.over = !c.m.Ended(one, &Result{}, err)
	default:
		c.free = c.free[:len(c.free)-1]
	}
}

// find looks for the program, which most of the time is that of the command before.
func (c *crew) find(one One) error {
	name, search := one.Args[0], searchPath(one.Env)
	if name == c.name && search == c.search {
		return nil
	}
	path, _, err := find(one.Args, one.Env)
	if err == nil {
		c.name, c.search, c.path, c.direct = name, search, path, isExecuted(path)
	}
	return err
}

// outputs makes the pipes of a slot's first command, where anything is wanted of what
// comes through them.
func (c *crew) outputs(sl *slot) (err error) {
	if sl.piped {
		return nil
	}
	wanted := func(copy func() io.WriteCloser) io.WriteCloser {
		if copy == nil {
			return nil
		}
		return copy()
	}
	if sl.stdout, err = newDrainer(1, 0, wanted(c.m.Stdout)); err != nil {
		return err
	}
	if sl.stderr, err = newDrainer(2, c.m.StderrTail, wanted(c.m.Stderr)); err != nil {
		return err
	}
	sl.attr.Files[1], sl.attr.Files[2] = sl.stdout.or(1), sl.stderr.or(2)
	sl.piped = true
	return nil
}

func (c *crew) start(sl *slot, one One) (err error) {
	if err := c.find(one); err != nil {
		return err
	}
	if err := c.outputs(sl); err != nil {
		return err
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first != 0 {
		return ErrStopped
	}
	sl.attr.Env, sl.attr.Files = one.Env, sl.attr.Files[:3]
	for _, f := range one.Extra {
		sl.attr.Files = append(sl.attr.Files, f.Fd())
	}
	sl.result = Result{Started: time.Now()}
	pid, err := c.begin(sl, one)
	if err != nil {
		return err
	}
	sl.pid, sl.one, sl.phase = pid, one, running
	if c.m.Timeout > 0 {
		sl.runs++
		runs := sl.runs
		sl.timer = time.AfterFunc(c.m.Timeout, func() { c.timeout(sl, runs) })
	}
	for _, sig := range s.kept {
		s.forward(sig)
	}
	s.kept = nil
	return nil
}

// begin makes the process: where it can without waiting for it to be the command.
func (c *crew) begin(sl *slot, one One) (int, error) {
	if c.direct {
		if pid, ok := sl.child.Start(c.path, one.Args, one.Env, sl.attr.Files); ok {
			sl.launched, sl.path, sl.args = true, c.path, append(sl.args[:0], one.Args...)
			return pid, nil
		}
	}
	sl.launched = false
	return spawn(c.path, one.Args, sl.attr)
}

// reap collects a child that has ended, if there is one.
func (c *crew) reap() bool {
	var status syscall.WaitStatus
	var usage syscall.Rusage
	c.s.mu.Lock()
	pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, &usage)
	sl := c.of(pid)
	if sl != nil {
		sl.phase = swept
		sl.result.end(status, usage)
		sl.result.Stop = c.s.while
		if sl.timer != nil {
			sl.timer.Stop()
		}
	}
	c.s.mu.Unlock()
	if sl == nil {
		return pid > 0 || err == syscall.EINTR
	}
	if syscall.Kill(-sl.pid, 0) == nil {
		c.swept++ // or a zombie, that the next reap collects
	} else {
		c.finish(sl)
	}
	return true
}

// of finds the slot whose command has this number.
func (c *crew) of(pid int) *slot {
	for i := range c.slots {
		if sl := &c.slots[i]; sl.phase == running && sl.pid == pid {
			return sl
		}
	}
	return nil
}

func (c *crew) finish(sl *slot) {
	c.s.mu.Lock()
	sl.phase = before
	c.s.mu.Unlock()
	sl.stdout.flush()
	sl.stderr.tell(&sl.result)
	if sl.result.ExitCode != 0 {
		kills := oomKills()
		sl.result.OOMKilled, c.oom = kills > c.oom, kills
	}
	c.free = append(c.free, sl)
	res, err := &sl.result, sl.startError()
	if err != nil {
		res = &Result{} // it never was the command
	}
	if !c.m.Ended(sl.one, res, err) {
		c.over = true
	}
}
