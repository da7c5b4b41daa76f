package proc

import "nth/shim/proc/launch"

// startPart starts a command in its place: in the thread that starts all of them.
func (r *runner) startPart(files []uintptr) (err error) {
	r.s.part.of.thread.do(func() { err = r.begin(files) })
	if err == nil {
		go r.collect(r.pid)
	}
	return err
}

// begin makes the process. An error is a failure with exit code 126 or 127.
func (r *runner) begin(files []uintptr) error {
	s, p, t := r.s, r.s.part.of, &r.s.part.of.thread
	one := One{Args: r.cmd.Args, Env: r.cmd.Env}
	if err := t.program.find(one); err != nil {
		return err
	}
	if n := t.begun; n&(n-1) == 0 || n%spareEvery == 0 { // nth's memory grows, most of all in the beginning
		spareMemory()
	}
	t.begun++
	st := &p.places[s.part.place]
	st.attr.Files, st.apart = files, true
	s.mu.Lock()
	defer s.mu.Unlock()
	one.Env = s.kin.mark(one.Env)
	r.place = s.part.place
	if err := s.start(&r.process, func() (int, error) { return st.start(&t.program, one) }); err != nil {
		return err
	}
	r.started()
	s.deliver()
	return nil
}

// collect waits for the end of a part's command, and reaps it.
func (r *runner) collect(pid int) {
	s := r.s
	status, usage := awaitEnd(pid, &s.mu)
	s.kin.reaped(pid)
	s.ended(&r.process, status, usage)
	s.mu.Unlock()
	poke(s.wake.child)
	poke(s.part.of.s.wake.idle)
}

// leftByPart gives what a part's command has left behind, as targets of kill(2).
func (r *runner) leftByPart() (targets []int) {
	s := r.s
	var later []func() // what is logged may have to wait for who reads
	s.mu.Lock()
	if s.kin.orphans == nil {
		targets = ifThere(-r.pid)
	} else {
		targets = s.kin.below(func(n int64) bool { return n == r.number }, s.part.of.commands(), false, func(pids []int, text string) {
			later = append(later, func() { logged(r.cmd.Log)(pids, text) })
		})
	}
	r.left = targets
	s.mu.Unlock()
	for _, say := range later {
		say()
	}
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

// failed tells, after the end of its process, whether it never was the command.
func (p *part) failed() error {
	if p == nil {
		return nil
	}
	return p.of.places[p.place].failed()
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
	return p != nil && launch.CanApart && !p.of.places[p.place].knowsPeak() && res.MaxRSS <= ownPeak()
}

// free says that another run may have the place: nothing is left of a command that succeeded.
func (p *part) free(res *Result) {
	if p != nil && p.freed != nil && res.ExitCode == 0 {
		p.freed()
	}
}
