package proc

import "time"

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
	reaped, children := c.reapEscaped()
	k := &c.s.kin
	switch {
	case c.s.pid1:
		if children || isThere(everybody) {
			targets = []int{everybody}
		}
	case children && k.orphans != nil:
		targets = k.below(func(int64) bool { return true }, c.s.set.list, true, logged(c.m.Log))
	}
	return targets, reaped
}

func (c *crew) reapEscaped() (n int, children bool) {
	for {
		switch child := c.s.collect(0); {
		case child.pid <= 0:
			return n, child.pid == 0
		default:
			n++
		}
	}
}
