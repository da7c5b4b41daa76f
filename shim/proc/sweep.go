//go:build !windows

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
	told   map[int]bool // to end; false: that isn't allowed
	killAt time.Time    // zero: never
	kills  int
}

// begin is for what is left now. killAt is when what doesn't end is killed; zero: nth never
// does it.
func (w *sweep) begin(killAt time.Time) { *w = sweep{told: map[int]bool{}, killAt: killAt} }

// step tells those that are left, as targets of kill(2), to end, each once, and kills them
// when it is time. False: that is of no use any more.
func (w *sweep) step(targets []int) bool {
	kill := !w.killAt.IsZero() && time.Now().After(w.killAt)
	if kill {
		w.killAt = time.Now().Add(killTick)
		w.kills++
	}
	useful := false
	for _, target := range targets {
		may, told := w.told[target]
		if !told {
			switch err := syscall.Kill(target, syscall.SIGTERM); err {
			case nil:
				may = true
			case syscall.ESRCH: // just ended
				useful = true
				continue
			}
			w.told[target] = may
			_ = syscall.Kill(target, syscall.SIGCONT) // a stopped one wouldn't see it
		}
		if kill || !told && w.kills > 0 { // who is new by now, may bear others without end
			_ = syscall.Kill(target, syscall.SIGKILL)
		}
		useful = useful || may
	}
	return w.kills <= mostKills && (useful || len(targets) == 0)
}

// ended gives how many processes were ended: where groups were, those that were reaped.
func (w *sweep) ended(reaped int) (n int) {
	for target, may := range w.told {
		switch {
		case target < 0:
			return reaped
		case may:
			n++
		}
	}
	return n
}

const cantEnd = "the command left processes behind that can't be ended: they are another user's, or hang in the kernel"

// everybody is all that is left under process 1, as a target of kill(2).
const everybody = -1

// isThere tells whether anything is left of a target.
func isThere(target int) bool { return syscall.Kill(target, 0) == nil }

// ifThere gives a target of which something is left.
func ifThere(target int) []int {
	if isThere(target) {
		return []int{target}
	}
	return nil
}

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

// sweep ends what is left when the last command of the set has ended. look collects
// children, gives how many it was, and what is left, as targets of kill(2). It gives how
// many processes were left.
func (s *Signals) sweep(look func() (targets []int, reaped int), g graces, log zerolog.Logger) (leftovers int) {
	targets, _ := look() // those that it reaped had ended by themselves
	if len(targets) == 0 {
		return 0
	}
	s.mu.Lock()
	stopped, hurry := s.stop.while != 0, s.set.hurry
	s.mu.Unlock()
	var w sweep
	if w.begin(g.until(stopped)); hurry {
		w.killAt = time.Now()
	}
	// A process that isn't our child ends without a SIGCHLD: look now and then.
	tick := time.NewTicker(lookTick)
	defer tick.Stop()
	for reaped := 0; len(targets) > 0; {
		if !w.step(targets) {
			log.Warn().Ints("pids", targets).Msg(cantEnd)
			break
		}
		select {
		case <-s.wake.child:
		case <-tick.C:
		}
		var n int
		targets, n = look()
		reaped += n
		leftovers = w.ended(reaped)
	}
	if leftovers > 0 {
		e := log.Warn()
		if stopped || !g.killAt.IsZero() { // it could not end them itself: its own end is told
			e = log.Info()
		}
		e.Int("leftovers", leftovers).Msg("the command left processes behind; they were ended")
	}
	return leftovers
}
