//go:build !windows

package proc

import (
	"runtime"
	"sync"
	"time"

	"nth/shim/proc/launch"
)

// prepare makes ready for the command, unless parts share what is made here.
func (r *runner) prepare() (path string, args []string, killed int64, err error) {
	s, cmd := r.s, &r.cmd
	if s.part != nil {
		return "", nil, 0, nil
	}
	if path, args, err = find(cmd.Args, cmd.Env); err != nil {
		return "", nil, 0, err
	}
	killed = oomKills()
	s.prepare(spareThreads(cmd.Stdout != nil || cmd.Stderr != nil, r.streams.are()))
	if r.out, err = newOutputs(cmd); err != nil {
		return "", nil, 0, err
	}
	spareMemory()
	s.guardCommands(1, cmd.Log)
	return path, args, killed, nil
}

// finish tells what was written, now that nothing is left of the command.
func (r *runner) finish(res *Result) {
	if p := r.s.part; p != nil {
		p.tell(res, len(r.left) > 0 || r.strays)
		return
	}
	res.Stderr, res.StderrTruncated = r.out.finish()
	res.Unpassed = r.out.stdout.unpassed()
}

// startPart starts a command in its place.
func (r *runner) startPart(stdin uintptr) error {
	stdout, stderr, err := r.s.part.at().open(&r.cmd)
	if err != nil {
		return err
	}
	files := []uintptr{stdin, r.take.or(stdout), stderr}
	for _, f := range r.cmd.Extra {
		files = append(files, f.Fd())
	}
	return r.begin(files)
}

// begin makes the process. It dies with the thread that makes it (PR_SET_PDEATHSIG), which this
// goroutine keeps until it has ended, in waitPart. An error is a failure with exit code 126 or 127.
func (r *runner) begin(files []uintptr) error {
	s, at := r.s, r.s.part.at()
	one := One{Args: r.cmd.Args, Env: r.cmd.Env}
	if err := at.program.find(one); err != nil {
		return err
	}
	spareMemoryAgain(int(s.part.of.begun.Add(1) - 1))
	st := &at.starter
	st.attr.Files, st.apart = files, true
	s.mu.Lock()
	defer s.mu.Unlock()
	one.Env = s.kin.mark(one.Env)
	r.place = s.part.place
	runtime.LockOSThread()
	if err := s.start(&r.process, func() (int, error) { return st.start(&at.program, one) }); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	r.started()
	s.deliver()
	return nil
}

// heedAfter is when a command isn't one of those that end at once. What is due before that, of
// a command that has no time limit and no streams, can wait for it: signals don't.
const heedAfter = 10 * time.Millisecond

// waitPart returns when a part's command has ended, and reaps it. Another goroutine does what is
// due meanwhile: the end wakes this thread and no other, and the next command is started in it.
func (r *runner) waitPart() (why ownStop) {
	s, after := r.s, heedAfter
	if r.cmd.Timeout > 0 || r.streams.are() {
		after = 0
	}
	heeds := make(chan ownStop, 1)
	heed := time.AfterFunc(after, func() { heeds <- r.wait() })
	status, usage := awaitEnd(r.pid, leaving{&s.mu})
	s.kin.reaped(r.pid)
	s.ended(&r.process, status, usage)
	s.mu.Unlock()
	poke(s.wake.child)
	poke(s.part.of.s.wake.idle)
	if heed.Stop() {
		return ownStop{}
	}
	return <-heeds
}

// leaving is the lock of who has waited for its command in the thread that has started it: who
// waits for a lock and needs a thread of its own, would wake two.
type leaving struct{ *sync.Mutex }

// Lock gives the thread up.
func (l leaving) Lock() {
	runtime.UnlockOSThread()
	l.Mutex.Lock()
}

// leftByPart gives what a part's command has left behind, as targets of kill(2).
func (r *runner) leftByPart() (targets []int) {
	s := r.s
	s.look(r.cmd.Log, func(say warning) {
		if s.kin.orphans == nil {
			targets = ifThere(-r.pid)
		} else {
			targets = s.kin.below(func(n int64) bool { return n == r.number }, s.part.of.commands(), s.part.of.alone(s), say)
			r.strays = s.kin.strays
		}
		r.left = targets
	})
	return targets
}

// unguarded is for when nothing is left of a command.
func (s *Signals) unguarded() {
	if s.part == nil {
		s.unguard()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.guard.Guard(s.part.place, 0)
}

func (p *part) at() *place { return &p.of.places[p.place] }

// open gives the descriptors of a command's outputs.
func (p *place) open(cmd *Command) (stdout, stderr uintptr, err error) {
	if cmd.Take == nil {
		if p.stdout, err = p.stdout.again(1, cmd.Out, 0, cmd.Stdout); err != nil {
			return 0, 0, err
		}
	}
	p.stderr, err = p.stderr.again(2, cmd.Err, cmd.StderrTail, cmd.Stderr)
	return p.stdout.or(1), p.stderr.or(2), err
}

// tell tells what became of a command's outputs. held: something that can't be ended, or isn't
// yet, may have its pipes.
func (p *part) tell(res *Result, held bool) {
	at := p.at()
	res.Unpassed = at.stdout.flush()
	at.stderr.tell(res)
	at.stdout.leave()
	at.stderr.leave()
	if held || res.Unpassed != nil {
		at.close()
	}
}

// failed tells, after the end of its process, whether it never was the command.
func (p *part) failed() error {
	if p == nil {
		return nil
	}
	return p.at().failed()
}

// oomKilled tells whether the kernel has killed something of this container for memory while
// the command ran. Of several at the same time, the one that failed first is told.
func (s *Signals) oomKilled(res *Result, before int64) bool {
	if s.part == nil {
		return oomKills() > before
	}
	if res.ExitCode == 0 {
		return false
	}
	kills := oomKills()
	s.mu.Lock()
	defer s.mu.Unlock()
	before, s.parts.oom = s.parts.oom, kills
	return kills > before
}

// ownPeakIn tells whether what the kernel says of the command's memory may be nth's.
func (p *part) ownPeakIn(res *Result) bool {
	return p != nil && launch.CanApart && !p.at().knowsPeak() && res.MaxRSS <= ownPeak()
}

// free says that another run may have the place of this one: nothing is left of its command,
// which succeeded. Once a stop signal has come nobody wants the place, and who was stopped is told.
func (s *Signals) free(res *Result) {
	if s.part == nil || s.part.freed == nil || res.ExitCode != 0 {
		return
	}
	if _, stopped := s.Stopped(); !stopped {
		s.part.freed()
	}
}
