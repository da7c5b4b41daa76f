//go:build !windows

package proc

import (
	"syscall"
	"time"
)

// heedStop kills everything StopGrace after the first stop signal, and stops everything
// when it is cancelled. What is to be killed sooner for the one, isn't later for the other.
func (c *crew) heedStop(done <-chan struct{}) {
	d := due{cancel: c.m.Cancel}
	killIn := func(after time.Duration) {
		d.killIn(after)
		c.s.mu.Lock()
		c.killAt = d.killAt
		c.s.mu.Unlock()
	}
	for {
		select {
		case <-done:
			return
		case <-d.cancel:
			d.cancel = nil
			c.cancel()
			killIn(c.m.CancelGrace())
		case <-c.s.wake.stop:
			if c.m.OnStop != nil {
				c.m.OnStop()
			}
			killIn(c.m.StopGrace)
		case <-d.kill:
			c.s.mu.Lock()
			c.s.set.send(syscall.SIGKILL, true)
			c.s.mu.Unlock()
			d.kill = time.After(killTick)
		}
	}
}

// cancel stops what runs, and notes that it was: many programs end with exit code 0 then. What
// has ended by then, and waits for who takes note of it, has done so by itself.
func (c *crew) cancel() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for i := range c.slots {
		sl := &c.slots[i]
		sl.cancelled = sl.phase == running && !isOver(sl.pid)
	}
	c.s.set.send(syscall.SIGTERM, c.s.cfg.Group)
	c.s.set.send(syscall.SIGCONT, c.s.cfg.Group) // a stopped one wouldn't see it
}
