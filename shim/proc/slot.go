package proc

import (
	"syscall"
	"time"

	"nth/shim/proc/launch"
)

// slot is the place of one command among many. Its phase is before: free; running;
// swept: it has ended, and perhaps not what it left behind.
type slot struct {
	phase  phase
	pid    int // and its group
	one    One
	result Result
	attr   *syscall.ProcAttr
	child  *launch.Child
	piped  bool // its pipes are made
	stdout *drainer
	stderr *drainer
	timer  *time.Timer
	runs   int // tells a timer of an earlier command from this one's

	launched bool // by child, and path and args may yet turn out to be no command
	path     string
	args     []string

	killAt time.Time // of what it left behind; zero: not yet told to end
	never  bool      // but not killed by nth
	kills  int
}

// How often the leftovers of a command are looked at, and SIGKILL is repeated.
const (
	sweepTick = 2 * time.Millisecond
	killTick  = 100 * time.Millisecond
	mostKills = 20 // what they don't end hangs in the kernel
)

// startError tells, after the end of the process, whether it never was the command.
func (sl *slot) startError() error {
	if !sl.launched {
		return nil
	}
	if n := sl.child.Failed(); n != 0 {
		return explain(sl.path, sl.args, syscall.Errno(n))
	}
	return nil
}

// sweep looks at what ended commands have left behind.
func (c *crew) sweep() {
	for i := range c.slots {
		sl := &c.slots[i]
		if sl.phase != swept {
			continue
		}
		if syscall.Kill(-sl.pid, 0) != nil || sl.kills > mostKills {
			sl.killAt, sl.kills = time.Time{}, 0
			c.swept--
			c.finish(sl)
			continue
		}
		now := time.Now()
		switch {
		case sl.killAt.IsZero():
			sl.result.Leftovers++ // their number is not known
			sl.killAt = now.Add(c.m.SweepGrace)
			sl.never = sl.result.Stop != 0 // then StopGrace counts, as for all
			_ = syscall.Kill(-sl.pid, syscall.SIGTERM)
			_ = syscall.Kill(-sl.pid, syscall.SIGCONT) // a stopped one wouldn't see it
		case !sl.never && now.After(sl.killAt):
			_ = syscall.Kill(-sl.pid, syscall.SIGKILL)
			sl.killAt = now.Add(killTick)
			sl.kills++
		}
	}
	if c.swept > 0 {
		time.Sleep(sweepTick)
	}
}

// forward passes a signal on to every command; the lock is held.
func (c *crew) forward(sig syscall.Signal) {
	for i := range c.slots {
		c.slots[i].send(sig, c.s.cfg.Group)
	}
}

func (sl *slot) send(sig syscall.Signal, group bool) {
	switch {
	case sl.phase == before:
	case sl.phase == swept || group:
		_ = syscall.Kill(-sl.pid, sig)
	default:
		_ = syscall.Kill(sl.pid, sig)
	}
}

// timeout stops a command that takes too long.
func (c *crew) timeout(sl *slot, runs int) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if sl.phase != running || sl.runs != runs {
		return
	}
	sl.result.TimedOut = true
	sl.send(syscall.SIGTERM, c.s.cfg.Group)
	sl.send(syscall.SIGCONT, c.s.cfg.Group) // a stopped one wouldn't see it
	sl.timer = time.AfterFunc(c.m.OwnStopGrace, func() {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		if sl.phase == running && sl.runs == runs {
			sl.send(syscall.SIGKILL, true)
		}
	})
}

// stopped kills everything StopGrace after the first stop signal.
func (c *crew) stopped(done <-chan struct{}) {
	var kill <-chan time.Time
	for {
		select {
		case <-done:
			return
		case <-c.s.stop:
			if c.m.OnStop != nil {
				c.m.OnStop()
			}
			if c.m.StopGrace > 0 {
				c.s.mu.Lock()
				c.killAt = time.Now().Add(c.m.StopGrace)
				c.s.mu.Unlock()
				kill = time.After(c.m.StopGrace)
			}
		case <-kill:
			c.s.mu.Lock()
			for i := range c.slots {
				c.slots[i].send(syscall.SIGKILL, true)
			}
			c.s.mu.Unlock()
			kill = time.After(killTick)
		}
	}
}
