//go:build !windows

package proc

import (
	"time"

	"github.com/rs/zerolog"
)

// leftBehind gives what the slot's command has left behind, as targets of kill(2).
func (c *crew) leftBehind(sl *slot) (targets []int) {
	if k := &c.s.kin; k.orphans == nil {
		targets = ifThere(-sl.pid) // or a zombie, that the next reap collects
	} else {
		targets = k.below(func(n int64) bool { return n == sl.number }, c.s.set.list, c.m.Jobs == 1, logged(c.m.Log))
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	sl.left = targets
	return targets
}

// sweepOn ends what the slot's command has left behind. False: nothing is left, or
// what can't be ended.
func (c *crew) sweepOn(sl *slot) bool {
	targets := c.leftBehind(sl)
	if len(targets) == 0 {
		return false
	}
	if sl.leftovers.told == nil {
		var killAt time.Time // after a stop signal heedStop kills, as it does all
		if sl.ending.stop == 0 {
			killAt = time.Now().Add(c.m.SweepGrace)
		}
		sl.leftovers.begin(killAt)
	}
	if !sl.leftovers.step(targets) {
		c.m.Log.Warn().Ints("pids", targets).Msg(cantEnd)
		return false
	}
	return true
}

// sweepEscaped ends, after the last command, of which nobody knew whose it is; as process 1
// everybody.
func (c *crew) sweepEscaped() {
	c.s.mu.Lock()
	c.s.set.close()
	g := graces{sweep: c.m.SweepGrace, stop: c.m.StopGrace, killAt: c.killAt}
	c.s.mu.Unlock()
	c.s.sweep(c.escaped, g, c.m.Log)
}

func (c *crew) escaped() (targets []int, reaped int) {
	return c.s.escaped(func() []*process { return c.s.set.list }, c.m.Log)
}

// escaped reaps what has ended, when there is no command any more, and gives what is left, as
// targets of kill(2). Commands gives those that there were, under the lock.
func (s *Signals) escaped(commands func() []*process, log zerolog.Logger) (targets []int, reaped int) {
	reaped, children := s.reapEscaped()
	switch {
	case s.pid1:
		if children || isThere(everybody) {
			targets = []int{everybody}
		}
	case children && s.kin.orphans != nil:
		s.look(log, func(say warning) { targets = s.kin.below(func(int64) bool { return true }, commands(), true, say) })
	}
	return targets, reaped
}

// look looks at something under the lock, and says only after that what there is to say: it
// may have to wait for who reads.
func (s *Signals) look(log zerolog.Logger, at func(say warning)) {
	var later []func()
	s.mu.Lock()
	at(func(pids []int, text string) { later = append(later, func() { logged(log)(pids, text) }) })
	s.mu.Unlock()
	for _, say := range later {
		say()
	}
}

func (s *Signals) reapEscaped() (n int, children bool) {
	for {
		switch child := s.collect(0); {
		case child.pid <= 0:
			return n, child.pid == 0
		default:
			n++
		}
	}
}
