// Package proc runs one command as a process 1 should: every signal reaches it,
// every orphan is reaped, and when it ends nothing of it is left.
package proc

import (
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"nth/shim/failure"
)

// Command is what to run, and how long it may take to stop.
type Command struct {
	Args, Env []string
	// StderrTail is how many bytes of stderr are kept.
	StderrTail int
	// Stdout and Stderr get a copy of what the command writes there, and are closed when
	// nothing more comes. An output of which nothing is wanted, and a terminal, is
	// handed over untouched.
	Stdout, Stderr io.WriteCloser
	// StopGrace is how long after the first stop signal its group is killed, 0: no
	// limit; OwnStopGrace the same for a stop that nth begins.
	StopGrace, OwnStopGrace time.Duration
	SweepGrace              time.Duration // for what it leaves behind
	Timeout                 time.Duration // 0: none
	// Drain is how long the first stop signal is held back, so that the command may end
	// its work; the next one is passed on at once. 0: not at all.
	Drain time.Duration
	// Cancel, when it is closed, stops the command as a timeout does; nil: never.
	Cancel  <-chan struct{}
	Stdin   *os.File   // nil: nth's own
	Extra   []*os.File // its descriptors from 3 on
	Log     zerolog.Logger
	OnStart func() // may be nil
	OnStop  func() // there is a stop signal, the command's or one that nth holds back; may be nil
}

// Result is how a command ended.
type Result struct {
	ExitCode        int            // its own, or 128+n
	Signal          syscall.Signal // that ended it; 0: none
	Stop            syscall.Signal // the first stop signal while it ran; 0: none
	TimedOut        bool
	Cancelled       bool
	OOMKilled       bool
	Started, Ended  time.Time
	MaxRSS          int64 // bytes, of the command and those that it waited for
	User, System    time.Duration
	Stderr          []byte // its end
	StderrTruncated bool   // more was written than is kept
	Leftovers       int    // processes that it left behind
}

// ErrStopped is a run that a stop signal ended before the command existed.
var ErrStopped = errors.New("stopped before the command started")

// Run starts the command, passes signals on, reaps, and returns when the command
// and what it left behind have ended. An error is a failure with exit code 126 or
// 127, or ErrStopped.
func (s *Signals) Run(cmd Command) (Result, error) {
	// The parent-death signal is tied to the thread that forks, so this one stays.
	runtime.LockOSThread()
	path, args, err := find(cmd.Args, cmd.Env)
	if err != nil {
		return Result{}, err
	}
	r := &runner{s: s, cmd: cmd, oom: oomKills()}
	if !s.pid1 {
		becomeSubreaper()
	}
	makeSpareThreads(cmd.Stdout != nil || cmd.Stderr != nil)
	if err := r.start(path, args); err != nil {
		return Result{}, err
	}
	if cmd.OnStart != nil {
		cmd.OnStart()
	}
	r.wait()
	r.tty.finish(r)
	r.sweep()
	r.out.finish(&r.cmd, &r.result)
	r.result.OOMKilled = oomKills() > r.oom
	s.mu.Lock()
	s.phase, r.result.Stop = over, s.while
	s.mu.Unlock()
	return r.result, nil
}

// runner is a command from its start to the end of its sweep.
type runner struct {
	s      *Signals
	cmd    Command
	result Result
	out    outputs
	tty    *terminal
	oom    int64
	ended  bool
	killAt time.Time // when its group is killed; zero: never
	reaped int       // during the sweep
}

func (r *runner) start(path string, args []string) error {
	var err error
	if r.out, err = newOutputs(&r.cmd); err != nil {
		return err
	}
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return ErrStopped
	}
	r.tty = openTerminal()
	stdin := uintptr(0)
	if r.cmd.Stdin != nil {
		stdin = r.cmd.Stdin.Fd()
	}
	files := []uintptr{stdin, r.out.stdout.or(1), r.out.stderr.or(2)}
	for _, f := range r.cmd.Extra {
		files = append(files, f.Fd())
	}
	attr := &syscall.ProcAttr{Env: r.cmd.Env, Files: files, Sys: attributes(s.pid1)}
	r.result.Started = time.Now()
	pid, err := spawn(path, args, attr)
	if err != nil {
		return err
	}
	s.pid, s.phase, s.drains = pid, running, r.cmd.Drain > 0
	r.out.started()
	r.tty.take(pid, s)
	for _, sig := range s.kept {
		s.forward(sig)
	}
	s.kept = nil
	return nil
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
func (r *runner) wait() {
	var timeout <-chan time.Time
	if r.cmd.Timeout > 0 {
		t := time.NewTimer(r.cmd.Timeout)
		defer t.Stop()
		timeout = t.C
	}
	var kill <-chan time.Time
	in := func(d time.Duration) {
		if at := time.Now().Add(d); d > 0 && (r.killAt.IsZero() || at.Before(r.killAt)) {
			r.killAt, kill = at, time.After(d)
		}
	}
	cancel := r.cmd.Cancel
	var drained <-chan time.Time
	stop := func() {
		r.signal(syscall.SIGTERM)
		r.signal(syscall.SIGCONT) // a stopped one wouldn't see it
		in(r.cmd.OwnStopGrace)
	}
	for r.reap(); !r.ended; r.reap() {
		select {
		case <-r.s.child:
		case <-r.s.draining:
			drained = time.After(r.cmd.Drain)
			r.stopping()
		case <-drained:
			r.passOn()
		case <-r.s.stop:
			in(r.cmd.StopGrace)
			r.stopping()
		case <-r.s.continued:
			r.tty.reclaim(r.s)
		case <-timeout:
			r.result.TimedOut = true
			stop()
		case <-cancel:
			r.result.Cancelled, cancel = true, nil
			stop()
		case <-kill:
			r.kill(syscall.SIGKILL)
		}
	}
}

func (r *runner) stopping() {
	if r.cmd.OnStop != nil {
		r.cmd.OnStop()
	}
}

// passOn sends the command the stop signal that was held back.
func (r *runner) passOn() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.s.phase == running && r.s.while == 0 {
		r.s.note(r.s.held)
		r.s.forward(r.s.held)
	}
}

// signal sends to whom signals go; kill to the whole group.
func (r *runner) signal(sig syscall.Signal) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.s.phase == running {
		r.s.forward(sig)
	}
}

func (r *runner) kill(sig syscall.Signal) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	_ = syscall.Kill(-r.s.pid, sig)
}

// reap collects every child that has changed. SIGCHLDs coalesce, so one of them
// stands for any number of ends, and the command's is recognised in here.
func (r *runner) reap() (children bool) {
	for {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		r.s.mu.Lock()
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG|syscall.WUNTRACED, &usage)
		if pid == r.s.pid && pid > 0 && !status.Stopped() {
			r.end(status, usage)
		}
		r.s.mu.Unlock()
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return false
		case pid == 0:
			return true
		case status.Stopped() && pid == r.s.pid:
			r.tty.stopped(r.s, status.StopSignal())
		case status.Stopped() || pid == r.s.pid || r.tty.is(pid, status, r.s):
		case r.ended:
			r.reaped++
		}
	}
}

func (r *runner) end(status syscall.WaitStatus, usage syscall.Rusage) {
	r.ended, r.s.phase = true, swept
	r.result.end(status, usage)
}

func (res *Result) end(status syscall.WaitStatus, usage syscall.Rusage) {
	res.Ended = time.Now()
	res.MaxRSS = maxRSS(usage)
	res.User, res.System = time.Duration(usage.Utime.Nano()), time.Duration(usage.Stime.Nano())
	res.ExitCode = status.ExitStatus()
	if status.Signaled() {
		res.Signal = status.Signal()
		res.ExitCode = failure.SignalOffset + int(res.Signal)
	}
}

// sweep ends what the command left behind, for an item isn't done while its
// processes still write: all that is left under process 1, else its group.
func (r *runner) sweep() {
	target := -r.s.pid
	if r.s.pid1 {
		target = -1
	}
	left := func() bool {
		children := r.reap()
		if r.s.pid1 && children {
			return true
		}
		return syscall.Kill(target, 0) == nil
	}
	if !left() {
		return
	}
	r.reaped = 0 // those had ended by themselves
	_ = syscall.Kill(target, syscall.SIGTERM)
	_ = syscall.Kill(target, syscall.SIGCONT) // a stopped one wouldn't see it
	var kill <-chan time.Time
	r.s.mu.Lock()
	stopped := r.s.while != 0
	r.s.mu.Unlock()
	switch {
	case !stopped:
		kill = time.After(r.cmd.SweepGrace)
	case !r.killAt.IsZero():
		kill = time.After(time.Until(r.killAt))
	case r.cmd.StopGrace > 0: // the command ended before wait saw the signal
		kill = time.After(r.cmd.StopGrace)
	}
	// A process that isn't our child ends without a SIGCHLD: look now and then.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	killed := 0
	for left() {
		select {
		case <-r.s.child:
		case <-tick.C:
		case <-kill:
			_ = syscall.Kill(target, syscall.SIGKILL)
			if killed++; killed > 20 {
				return // what SIGKILL doesn't end hangs in the kernel
			}
			kill = time.After(100 * time.Millisecond)
		}
	}
	r.result.Leftovers = r.reaped
	if r.reaped > 0 {
		r.cmd.Log.Warn().Int("leftovers", r.reaped).Msg("the command left processes behind; they were ended")
	}
}
