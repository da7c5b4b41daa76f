package proc

import (
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// How often what was left behind is looked at, and SIGKILL is repeated.
const (
	lookTick  = 20 * time.Millisecond // while nothing else waits for it
	sweepTick = 2 * time.Millisecond  // while a place waits for the next command
	killTick  = 100 * time.Millisecond
	mostKills = 20 // what they don't end hangs in the kernel
)

// sweep ends what a command left behind, for an item isn't done while its processes
// still write.
type sweep struct {
	target int       // as of kill(2): a group, negative, or everybody
	killAt time.Time // zero: never
	kills  int
}

// begin tells them to end. killAt is when those that don't are killed; zero: nth never
// does it.
func (w *sweep) begin(target int, killAt time.Time) {
	*w = sweep{target: target, killAt: killAt}
	_ = syscall.Kill(target, syscall.SIGTERM)
	_ = syscall.Kill(target, syscall.SIGCONT) // a stopped one wouldn't see it
}

// insist kills them when it is time. False: that is of no use any more.
func (w *sweep) insist() bool {
	if now := time.Now(); !w.killAt.IsZero() && now.After(w.killAt) {
		_ = syscall.Kill(w.target, syscall.SIGKILL)
		w.killAt = now.Add(killTick)
		w.kills++
	}
	return w.kills <= mostKills
}

// everybody is all that is left under process 1, as a target of kill(2).
const everybody = -1

// isThere tells whether anything is left of a target.
func isThere(target int) bool { return syscall.Kill(target, 0) == nil }

// graces are how long what is left behind may take to end.
type graces struct {
	sweep  time.Duration
	stop   time.Duration // after a stop signal, 0: no limit
	killAt time.Time     // when that is over, if it has begun
}

// until gives the moment when the leftovers are killed; zero: never.
func (g graces) until(stopped bool) time.Time {
	switch {
	case !stopped:
		return time.Now().Add(g.sweep)
	case !g.killAt.IsZero():
		return g.killAt
	case g.stop > 0: // the command ended before its run saw the signal
		return time.Now().Add(g.stop)
	}
	return time.Time{}
}

// sweep ends what is left when the last command of the set has ended. reap collects
// children, and gives how many it was, and whether there are more. It gives how many
// processes were left.
func (s *Signals) sweep(target int, g graces, reap func() (n int, children bool), log zerolog.Logger) (leftovers int) {
	left := func() bool {
		n, children := reap()
		leftovers += n
		return target == everybody && children || isThere(target)
	}
	if !left() {
		return 0
	}
	leftovers = 0 // those had ended by themselves
	s.mu.Lock()
	stopped := s.stop.while != 0
	s.mu.Unlock()
	var w sweep
	w.begin(target, g.until(stopped))
	// A process that isn't our child ends without a SIGCHLD: look now and then.
	tick := time.NewTicker(lookTick)
	defer tick.Stop()
	for left() {
		if !w.insist() {
			return 0
		}
		select {
		case <-s.wake.child:
		case <-tick.C:
		}
	}
	if leftovers > 0 {
		log.Warn().Int("leftovers", leftovers).Msg("the command left processes behind; they were ended")
	}
	return leftovers
}
