//go:build !windows

package proc

import (
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"

	"nth/shim/proc/launch"
)

// Many is what is run one after the other, some of it at the same time.
type Many struct {
	Jobs int // at the same time, 1 or more
	// The others are a Command's, in its units, for each of them; StopGrace is for all
	// together.
	StderrTail              int
	StopGrace, OwnStopGrace time.Duration
	SweepGrace, Timeout     time.Duration
	// Stdout and Stderr give a writer for a copy of what commands write there, as many at
	// the same time as there are jobs; they may be nil.
	Stdout, Stderr func() io.WriteCloser
	Log            zerolog.Logger
	// OnStop is called, in a goroutine of its own, when a stop signal has come. It may be
	// nil.
	OnStop func()
	// Cancel and CancelGrace are a Command's, for all of them together; Next gives none any
	// more then.
	Cancel      <-chan struct{}
	CancelGrace func() time.Duration
	// Next gives the next command, which will run in this slot: the lowest, from 0, in which
	// none runs; false: there is none any more. One without Args is none this time.
	Next func(slot int) (One, bool)
	// Later tells, before Next is asked, that there is none to be had yet: it is asked again
	// when a command has ended. Idle: none runs, and it may wait. It may be nil.
	Later func(idle bool) bool
	// Ended is told how a command ended, or with an error, which is a failure with exit
	// code 126 or 127, why it didn't start. The Result is the caller's until Ended
	// returns. False: start no more.
	Ended func(One, *Result, error) bool
}

// One of them. Its stdin is empty. Args, Env and Extra are as a Command's, and of no use
// once it has started.
type One struct {
	Item      int64  // with Payload the caller's own: Ended gets them back
	Payload   string // of any form
	Args, Env []string
	Extra     []*os.File // its descriptors from 3 on
}

// RunMany starts commands until there are none, passes signals on to all of them, reaps,
// and returns when they and what they left behind have ended. A stop signal starts no
// more. Next and Ended are called from here alone, one at a time. The error is ErrStopped,
// when a stop signal came before, or a failure with exit code 126 when none could be
// started; how each of them ended is told to Ended.
func (s *Signals) RunMany(m Many) error {
	null, err := openNull()
	if err != nil {
		return err
	}
	defer null.Close()
	s.prepare(spareThreads(m.Stdout != nil || m.Stderr != nil, false))
	c := newCrew(s, m, null.Fd())
	if err := c.begin(); err != nil {
		return err
	}
	spareMemory() // for the guardian
	s.guardCommands(m.Jobs, m.Log)
	defer s.unguard()
	done := make(chan struct{})
	go c.heedStop(done)
	s.intake.noted(false)
	c.run()
	s.intake.noted(true)
	close(done)
	c.sweepEscaped()
	s.unguard()
	s.end()
	c.closePipes()
	return nil
}

// crew are the commands that run at the same time, each in its slot.
type crew struct {
	s       *Signals
	m       Many
	slots   []slot
	free    []*slot   // the lowest last
	swept   int       // slots whose leftovers are being ended
	more    supply    // of commands
	killAt  time.Time // of all, after a stop signal; under the lock of Signals
	oom     int64     // processes that had been killed for memory
	program program   // that was found last
	starts  int
}

// supply is whether there are more commands to start.
type supply int

const (
	some  supply = iota
	later        // none is to be had before a command has ended
	none
)

func newCrew(s *Signals, m Many, stdin uintptr) *crew {
	c := &crew{s: s, m: m, slots: make([]slot, m.Jobs), oom: oomKills()}
	for i := range c.slots {
		sl := &c.slots[i]
		sl.place, sl.starter = i, newStarter(s.pid1, stdin)
		c.release(sl)
	}
	return c
}

// begin gives the signals to the slots.
func (c *crew) begin() error {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop.first.Signal != 0 {
		return ErrStopped
	}
	s.set = set{phase: running, open: true, background: true, kept: s.set.kept}
	for i := range c.slots {
		s.set.list = append(s.set.list, &c.slots[i].process)
	}
	return nil
}

// run waits in waitid(2), and not in a select as for one command: a SIGCHLD for each item
// would cost nth half as much again. So what else may come, a stop signal and timeouts,
// has goroutines of its own.
func (c *crew) run() {
	for {
		for len(c.free) > 0 && c.more == some {
			c.next()
		}
		if len(c.free) == len(c.slots) {
			if c.more == none {
				return
			}
			c.more = some
			continue
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
	if _, stopped := c.s.Stopped(); stopped {
		c.more = none
		return
	}
	if c.m.Later != nil && c.m.Later(len(c.free) == len(c.slots)) {
		c.more = later
		return
	}
	sl := c.free[len(c.free)-1]
	one, ok := c.m.Next(sl.place)
	if !ok {
		c.more = none
		return
	}
	if one.Args == nil {
		return
	}
	err := c.start(sl, one)
	switch {
	case err == ErrStopped:
		c.more = none
	case err != nil:
		if !c.m.Ended(one, &Result{}, err) {
			c.more = none
		}
	default:
		c.free = c.free[:len(c.free)-1]
	}
}

// reap collects a child that has ended, if there is one.
func (c *crew) reap() bool {
	child := c.s.collect(0)
	if child.command == nil {
		return child.pid > 0
	}
	sl := &c.slots[child.command.place]
	if len(c.leftBehind(sl)) > 0 {
		c.swept++
	} else {
		c.finish(sl)
	}
	return true
}

// sweep looks at what ended commands have left behind.
func (c *crew) sweep() {
	for i := range c.slots {
		if sl := &c.slots[i]; sl.phase == swept && !c.sweepOn(sl) {
			c.swept--
			c.finish(sl)
		}
	}
	if c.swept > 0 {
		time.Sleep(sweepTick)
	}
}

// finish tells how a command ended, and frees its slot.
func (c *crew) finish(sl *slot) {
	sl.result = sl.process.result()
	if launch.CanApart && !sl.starter.knowsPeak() && sl.result.MaxRSS <= ownPeak() {
		sl.result.MaxRSS = 0 // it is nth's
	}
	if sl.result.Stop == 0 && c.s.isStopSignal(sl.result.Signal) {
		sl.result.Stop = c.s.AwaitSettled(sl.ending.at)
	}
	c.s.mu.Lock()
	sl.phase = before
	c.s.guard.Guard(sl.place, 0)
	sl.result.TimedOut, sl.result.Cancelled = sl.timeout.end(), sl.cancelled
	c.s.mu.Unlock()
	if sl.leftovers.told != nil {
		sl.result.Leftovers, sl.leftovers = 1, sweep{} // their number is not known
	}
	sl.result.Unpassed = sl.pipes.stdout.flush()
	sl.pipes.stderr.tell(&sl.result)
	if sl.result.Unpassed != nil { // what the next command writes, it may be possible to pass on
		sl.pipes.close()
	}
	if sl.result.ExitCode != 0 {
		kills := oomKills()
		sl.result.OOMKilled, c.oom = kills > c.oom, kills
	}
	c.release(sl)
	if c.more == later {
		c.more = some
	}
	res, err := &sl.result, sl.starter.failed()
	if err != nil {
		res = &Result{} // it never was the command
	}
	if !c.m.Ended(sl.one, res, err) {
		c.more = none
	}
}
