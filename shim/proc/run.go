//go:build !windows

package proc

import (
	"errors"
	"runtime"
	"syscall"
	"time"

	"nth/shim/proc/launch"
)

// Run starts the command, passes signals on, reaps, and returns when the command
// and what it left behind have ended. An error is a failure with exit code 126 or
// 127, or ErrStopped: then there was no command, and the Result is empty. One command
// at a time; between two of them comes Again.
func (s *Signals) Run(cmd Command) (Result, error) {
	streams := newStreams(&cmd)
	defer streams.discard()
	r := &runner{s: s, cmd: cmd, streams: streams, tty: openTerminal(s), due: due{cancel: cmd.Cancel}}
	r.due.fed, r.due.taken = streams.broken()
	path, args, killed, err := r.prepare()
	if err != nil {
		return Result{}, err
	}
	if s.part == nil {
		defer s.unguard()
	}
	// The guardian has a copy of every descriptor, until it closes them: it would be a reader of
	// what the command reads no more.
	if err := streams.open(); err != nil {
		return Result{}, err
	}
	if err := r.start(path, args); err != nil {
		return Result{}, err
	}
	if cmd.OnStart != nil {
		cmd.OnStart()
	}
	wait := r.wait
	if s.part != nil {
		wait = r.waitPart
	}
	why := wait()
	r.tty.finish(r.reap)
	left := s.sweep(r.leftBehind, graces{sweep: cmd.SweepGrace, stop: cmd.StopGrace, killAt: r.due.killAt}, cmd.Log)
	s.unguarded()
	if err := s.part.failed(); err != nil {
		return Result{}, err
	}
	res := r.result()
	if s.part.ownPeakIn(&res) {
		res.MaxRSS = 0
	}
	res.TimedOut, res.Cancelled, res.Leftovers = why.timedOut, why.cancelled, left
	r.endStreams(&res)
	r.finish(&res)
	res.OOMKilled = s.oomKilled(&res, killed)
	s.free(&res)
	late := r.late()
	if res.Stop = s.end(); res.Stop == 0 { // what was typed at the very end is known later than the process's own end
		res.Stop = late
	}
	return res, nil
}

// prepare makes this process one that commands run under, with so many threads for later.
func (s *Signals) prepare(threads int) {
	// The parent-death signal is tied to the thread that forks, so this one stays.
	runtime.LockOSThread()
	if s.pid1 || becomeSubreaper() {
		s.kin.watch()
	}
	makeSpareThreads(threads)
}

// runner is one command from its start to the end of its sweep.
type runner struct {
	process
	s   *Signals
	cmd Command
	out outputs
	*streams
	tty *terminal
	due due

	strays bool // of a part: there are some of which nobody knows whether they are its own
}

// due is what happens to a command that runs on.
type due struct {
	timeout <-chan time.Time
	cancel  <-chan struct{}
	fed     <-chan struct{} // its stdin has broken off
	taken   <-chan struct{} // nobody takes its stdout any more
	drained <-chan time.Time
	kill    <-chan time.Time
	killAt  time.Time // zero: never
}

// killIn kills it after this time, if that is sooner than it would be anyway; 0: never.
func (d *due) killIn(after time.Duration) {
	if at := time.Now().Add(after); after > 0 && (d.killAt.IsZero() || at.Before(d.killAt)) {
		d.killAt, d.kill = at, time.After(after)
	}
}

// ownStop is why nth itself stopped a command.
type ownStop struct{ timedOut, cancelled bool }

func (r *runner) start(path string, args []string) error {
	stdin := uintptr(0)
	switch {
	case r.cmd.Stdin != nil:
		stdin = r.cmd.Stdin.Fd()
	case r.s.part != nil:
		stdin = r.s.part.of.null.Fd()
	}
	if r.s.part != nil {
		return r.startPart(r.feed.or(stdin))
	}
	files := []uintptr{r.feed.or(stdin), r.take.or(r.out.stdout.or(1)), r.out.stderr.or(2)}
	for _, f := range r.cmd.Extra {
		files = append(files, f.Fd())
	}
	env := r.s.kin.mark(r.cmd.Env)
	child := launch.New(!r.s.pid1, true)
	child.Apart(true)
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.start(&r.process, func() (int, error) {
		if pid, ok := child.Start(path, args, env, files); ok {
			if child.Failed() == 0 {
				return pid, nil
			}
			_, _ = syscall.Wait4(pid, nil, 0, nil) // why, ForkExec tells once more
		}
		return spawn(path, args, &syscall.ProcAttr{Env: env, Files: files, Sys: attributes(s.pid1)})
	})
	if err != nil {
		return err
	}
	r.started()
	r.tty.take(r.pid)
	s.deliver()
	return nil
}

// started is for a process that is there; the lock is held.
func (r *runner) started() {
	s := r.s
	s.set = set{phase: running, list: []*process{&r.process}, kept: s.set.kept, background: s.part != nil}
	s.stop.drains = r.cmd.Drain > 0
	r.out.started()
	r.streams.started()
}

func spawn(path string, args []string, attr *syscall.ProcAttr) (int, error) {
	pid, err := syscall.ForkExec(path, args, attr)
	if errors.Is(err, syscall.ENOEXEC) && isScript(path) {
		// As execvp(3): a text file without #! is a shell script.
		pid, err = syscall.ForkExec("/bin/sh", append([]string{"/bin/sh", path}, args[1:]...), attr)
	}
	if err != nil {
		return 0, explain(path, args, err)
	}
	return pid, nil
}

// wait returns when the command itself has ended.
func (r *runner) wait() (why ownStop) {
	d := &r.due
	if r.cmd.Timeout > 0 {
		t := time.NewTimer(r.cmd.Timeout)
		defer t.Stop()
		d.timeout = t.C
	}
	for r.reap(); r.runs(); r.reap() {
		select {
		case <-r.s.wake.child:
		case <-r.s.wake.drain:
			r.cmd.Log.Info().Msg("a stop signal has come: the command may go on for " + r.cmd.Drain.String())
			d.drained = time.After(r.cmd.Drain)
			r.stopping()
		case <-d.drained:
			r.s.passOn()
		case <-r.s.wake.stop:
			d.killIn(r.cmd.StopGrace)
			r.stopping()
		case <-r.s.wake.continued:
			r.tty.reclaim()
		case <-d.timeout:
			why.timedOut = r.stop()
		case <-d.cancel:
			d.cancel = nil
			if r.cmd.CancelGrace != nil {
				d.killIn(r.cmd.CancelGrace())
			}
			why.cancelled = r.stop()
		case <-d.fed:
			d.fed = nil
			r.stop()
		case <-d.taken:
			d.taken = nil
			r.stop()
		case <-d.kill:
			r.kill()
		}
	}
	return why
}

// runs tells whether the command itself has not ended.
func (r *runner) runs() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.phase == running
}

// kill kills the command's group, unless it has ended.
func (r *runner) kill() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.phase == running {
		_ = syscall.Kill(-r.pid, syscall.SIGKILL)
	}
}

// stopping tells that there is a stop signal.
func (r *runner) stopping() {
	if r.cmd.OnStop != nil {
		r.cmd.OnStop()
	}
}

// stop is a stop that nth begins. False: the command has ended by itself, and only nth is late to
// see it.
func (r *runner) stop() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.phase != running || isOver(r.pid) {
		return false
	}
	r.s.forward(syscall.SIGTERM)
	r.s.forward(syscall.SIGCONT) // a stopped one wouldn't see it
	r.due.killIn(r.cmd.OwnStopGrace)
	return true
}

// leftBehind gives what is left, as targets of kill(2): everybody under process 1, else who
// is below nth; where that can't be told, the command's group.
func (r *runner) leftBehind() (targets []int, reaped int) {
	if r.s.part != nil {
		return r.leftByPart(), 0
	}
	reaped, children := r.reap()
	k := &r.s.kin
	switch {
	case r.s.pid1:
		if children || isThere(everybody) {
			targets = []int{everybody}
		}
	case k.orphans == nil:
		targets = ifThere(-r.pid)
	case children:
		targets = k.below(func(int64) bool { return true }, r.s.set.list, true, logged(r.cmd.Log))
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.left = targets
	return targets, reaped
}

// reap collects every child that has changed, and gives how many have ended that are
// neither the command nor of nth, and whether there are more. SIGCHLDs coalesce, so one
// of them stands for any number of ends, and the command's is recognised in here.
func (r *runner) reap() (n int, children bool) {
	if r.s.part != nil { // waitPart does
		return 0, false
	}
	for {
		switch c := r.s.collect(syscall.WUNTRACED); {
		case c.pid <= 0:
			return n, c.pid == 0
		case c.status.Stopped() && c.command != nil:
			r.tty.answerStop(c.status.StopSignal())
		case c.status.Stopped() || c.command != nil || r.tty.is(c.pid, c.status):
		default:
			n++
		}
	}
}
