package shard

import (
	"context"
	"slices"
	"time"

	"nth/shim/failure"
	"nth/shim/once"
	"nth/shim/proc"
)

// retries are the items of a loop that have failed and are to be run again (--retries): when
// their pause is over, before those that weren't begun yet.
type retries struct {
	most    int // of each item; 0: nothing is tried again
	running map[int64]attempt
	waiting []attempt
	nothing bool // but these is left to begin
	logged  int
}

// attempt is one at an item.
type attempt struct {
	row
	n   int       // retries before
	due time.Time // of one that waits
}

// mostWaiting bounds how many items wait, with their rows: no other is begun meanwhile.
const mostWaiting = 1000

// begin takes down that an attempt runs.
func (r *retries) begin(a attempt) {
	if r.most == 0 {
		return
	}
	if r.running == nil {
		r.running = map[int64]attempt{}
	}
	r.running[a.number] = a
}

// ended gives the attempt at an item that has ended.
func (r *retries) ended(item int64) attempt {
	a := r.running[item]
	delete(r.running, item)
	return a
}

// first is the one that is due first; negative: none waits.
func (r *retries) first() int {
	at := -1
	for i, a := range r.waiting {
		if at < 0 || a.due.Before(r.waiting[at].due) {
			at = i
		}
	}
	return at
}

// ready tells whether one is due.
func (r *retries) ready() bool {
	at := r.first()
	return at >= 0 && !r.waiting[at].due.After(time.Now())
}

// take gives one that is due.
func (r *retries) take() (attempt, bool) {
	if !r.ready() {
		return attempt{}, false
	}
	at := r.first()
	a := r.waiting[at]
	r.waiting = slices.Delete(r.waiting, at, at+1)
	return a, true
}

// wait waits until one is due, or until nothing is to be begun any more.
func (r *retries) wait(ctx context.Context, cancel <-chan struct{}) {
	timer := time.NewTimer(time.Until(r.waiting[r.first()].due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-cancel:
	}
}

// again has an item run again whose command has failed, if it may.
func (l *loop) again(a attempt, why *failure.Failure, res *proc.Result) bool {
	r := &l.retries
	if a.n >= r.most || res.Unpassed != nil || !once.Passing(why.Code) {
		return false
	}
	a.n++
	pause := once.Pause(a.n)
	a.due = time.Now().Add(pause)
	r.waiting = append(r.waiting, a)
	if r.logged++; r.logged <= mostLogged {
		why.On = l.Config.Command[0]
		l.Log.Warn().Int64("item", a.number).Int("exit_code", int(why.Code)).Int("retry", a.n).Int("of", r.most).
			Msgf("item %s: %s; running it again in %s", l.named(a.row), l.Secrets.Hide(why.Error()), pause)
	}
	if r.logged == mostLogged {
		l.Log.Warn().Int("retries", mostLogged).Msg("further retries are not told")
	}
	return true
}

// later tells that no item is to be had before a command has ended: those that are left wait,
// or what still runs may have to be run again. Where none runs, it waits for the first.
func (l *loop) later(ctx context.Context, cancel <-chan struct{}, idle bool) bool {
	r := &l.retries
	if r.most == 0 {
		return l.help.later(ctx, idle)
	}
	if r.ready() || l.tally.broken != nil {
		return false
	}
	waits := len(r.waiting) > 0
	if len(r.waiting) < mostWaiting {
		later := false
		if l.help != nil {
			later = l.help.later(ctx, idle && !waits)
			r.nothing = !l.help.has()
		}
		if !r.nothing || l.help.over() || l.tally.broken != nil || idle && !waits {
			return later
		}
	}
	if idle {
		r.wait(ctx, cancel)
	}
	return !idle
}
