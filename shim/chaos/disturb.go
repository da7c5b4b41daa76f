package chaos

import (
	"fmt"
	"sync"
	"syscall"
	"time"

	"nth/shim/local"
)

// tries is how often a run is to be caught at work, each time in half of the time.
const tries = 3

// disturber does to the runs of a Job what is planned.
type disturber struct {
	plan  plan
	takes func(index int64) time.Duration // what its command took
	// forget takes back what says that an index is done, and tells whether it was.
	forget func(index int64) bool
	until  time.Time // nothing is disturbed after that

	beside chan local.Attempt
	over   chan struct{} // closed: the Job is being stopped
	once   sync.Once
	acts   sync.WaitGroup

	mu     sync.Mutex
	of     map[int64]*subject
	counts counts
}

// subject is an index, and what was done to it.
type subject struct {
	step, missed int // of the plan; how often it didn't come to that
	runs, live   int // attempts that were begun, that run
	act          *act
	acted, ok    bool // of the attempts that run now: one was disturbed, has succeeded
	did          []string
	well         int // the first of the runs that the last line of did says ended well; 0: it says something else
}

// act is the disturbance of one run.
type act struct {
	step
	local.Attempt
	run         int
	gone, alone chan struct{} // closed: it has ended, the other one beside it has
}

func newDisturber(p plan, takes func(int64) time.Duration, forget func(int64) bool, lasts time.Duration) *disturber {
	return &disturber{plan: p, takes: takes, forget: forget, until: time.Now().Add(lasts),
		beside: make(chan local.Attempt), over: make(chan struct{}), of: map[int64]*subject{}}
}

// Beside brings the attempts that are to be doubled.
func (d *disturber) Beside() <-chan local.Attempt { return d.beside }

// Stopping ends all disturbances.
func (d *disturber) Stopping() { d.once.Do(func() { close(d.over) }) }

// quiet tells whether nothing is disturbed any more.
func (d *disturber) quiet() bool {
	select {
	case <-d.over:
		return true
	default:
		return time.Now().After(d.until)
	}
}

// Began begins the disturbance of an attempt.
func (d *disturber) Began(a local.Attempt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.of[a.Index]
	if s == nil {
		s = &subject{}
		d.of[a.Index] = s
	}
	s.runs++
	s.live++
	if s.live > 1 {
		s.acted = true
		d.counts.doubles++
		s.tell("run %d worked beside run %d", s.runs, s.act.run)
		return
	}
	s.act, s.acted, s.ok = nil, false, false
	steps := d.plan.steps(a.Index)
	if d.quiet() || s.step >= len(steps) || steps[s.step].kind == rerun {
		return
	}
	s.act = &act{step: steps[s.step], Attempt: a, run: s.runs, gone: make(chan struct{}), alone: make(chan struct{})}
	do, wait := s.act, part(d.takes(a.Index), s.act.at)>>s.missed
	d.acts.Go(func() { d.disturb(s, do, wait) })
}

// Ended says whether the index has been disturbed enough.
func (d *disturber) Ended(a local.Attempt, how local.Failure, final bool) local.Verdict {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.of[a.Index]
	s.live--
	switch {
	case s.act == nil:
	case s.act.PID == a.PID:
		close(s.act.gone)
	default:
		close(s.act.alone)
	}
	ok := how.Code == 0 && how.Signal == 0
	s.ok = s.ok || ok
	steps := d.plan.steps(a.Index)
	switch {
	case s.live > 0:
		return local.Waits
	case !s.ok && (final || !s.acted): // that is its own
		return local.Counts
	case !s.ok && (s.step >= len(steps) || d.quiet()):
		return local.Again
	case ok && (s.step >= len(steps) || d.quiet()):
		return local.Counts
	case s.step >= len(steps) || d.quiet():
		return local.Succeeded
	}
	s.missed++
	if s.acted || steps[s.step].kind == rerun || s.missed == tries {
		s.step, s.missed = s.step+1, 0
	}
	if s.ok && d.forget(a.Index) {
		d.counts.reruns++
		s.reran()
	}
	return local.Again
}

// tell adds to what was done to an index.
func (s *subject) tell(format string, args ...any) {
	s.did, s.well = append(s.did, fmt.Sprintf(format, args...)), 0
}

// reran tells that the last run ended well, in one line for several.
func (s *subject) reran() {
	if s.well == 0 {
		s.tell("run %d ended well, and the index was run again", s.runs)
		s.well = s.runs
		return
	}
	s.did[len(s.did)-1] = fmt.Sprintf("runs %d to %d ended well, and the index was run again each time", s.well, s.runs)
}

// look is how often a run is looked at, whether its command is there yet.
const look = 3 * time.Millisecond

// disturb waits until a run's command is at work, and then for its moment.
func (d *disturber) disturb(s *subject, a *act, wait time.Duration) {
	for {
		if _, yes := local.AtWork(a.Attempt); yes {
			break
		}
		if !d.sleep(a, look) {
			return
		}
	}
	began := time.Now()
	if !d.sleep(a, wait) {
		return
	}
	at := time.Since(began).Round(time.Millisecond)
	switch a.kind {
	case kill, killAll, stop:
		d.strike(s, a, at)
	case double:
		d.another(a)
	case pause, freeze:
		d.hold(s, a, at)
	}
}

// sleep waits, and tells whether the run is still there to be disturbed.
func (d *disturber) sleep(a *act, wait time.Duration) bool {
	select {
	case <-a.gone:
	case <-d.over:
	case <-time.After(wait):
		return true
	}
	return false
}

// strike ends a run whose command is at work.
func (d *disturber) strike(s *subject, a *act, at time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	list, yes := local.AtWork(a.Attempt)
	if !yes || d.past(a) {
		return
	}
	switch {
	case a.kind == stop && a.Signal(syscall.SIGTERM) == nil:
		d.counts.stops++
		s.tell("run %d was stopped by SIGTERM after %v", a.run, at)
	case a.kind == kill && end(a.Attempt, nil), a.kind == killAll && end(a.Attempt, list):
		d.counts.kills++
		s.tell("run %d was killed after %v", a.run, at)
	default:
		return
	}
	s.acted = true
}

// past tells whether it is too late for a disturbance.
func (d *disturber) past(a *act) bool {
	select {
	case <-a.gone:
		return true
	default:
		return d.quiet()
	}
}

// another asks for a second run beside this one.
func (d *disturber) another(a *act) bool {
	select {
	case d.beside <- a.Attempt:
		return true
	case <-a.gone:
	case <-d.over:
	}
	return false
}

// hold makes a run stand still for a while, or until another one has done its work.
func (d *disturber) hold(s *subject, a *act, at time.Duration) {
	d.mu.Lock()
	if d.past(a) {
		d.mu.Unlock()
		return
	}
	list := local.Still(a.Attempt)
	if len(list) == 0 {
		local.Wake(a.Attempt, list)
		d.mu.Unlock()
		return
	}
	long := min(maxPause, max(minPause, part(d.takes(a.Index), a.long)))
	s.acted = true
	d.counts.pauses++
	if a.kind == pause {
		s.tell("run %d stood still for %v after %v", a.run, long.Round(time.Millisecond), at)
	} else {
		s.tell("run %d stood still after %v, until another one had ended", a.run, at)
	}
	d.mu.Unlock()
	defer local.Wake(a.Attempt, list)
	if a.kind == pause {
		d.sleep(a, long)
	} else if d.another(a) {
		select {
		case <-a.alone:
		case <-a.gone:
		case <-d.over:
		case <-time.After(freezeTimes*d.takes(a.Index) + maxPause): // it may wait for this one
		}
	}
}
