package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/place"
	"nth/shim/proc"
	"nth/shim/screen"
	"nth/shim/store"
	"nth/shim/success"
)

// What a look at everything may cost, so that a Job of a million indexes isn't listed all
// the time: in between there is one question to the store at each interval.
const (
	looksApart = 12 // intervals at least; as many as it took pages, where these are more
	busyShare  = 20 // times as long as it took
)

// waiter waits for the end of a Job. What it asks, again and again, is whether one index is
// done that wasn't yet: as long as it isn't, the Job isn't settled, whatever the others are.
// All of it is listed when no such index is left, and now and then, for what has failed.
type waiter struct {
	parsed
	c        WaitConfig
	w        World
	o        Options
	end      *success.Job      // --success; nil: it isn't given
	document *success.Document // that one; nil: it isn't there yet
	place    string            // what is looked at, for people
	there    bool              // the directory of the markers was found
	snap     *Snapshot         // of the last look at everything; nil: there was none
	open     identity.List     // what was neither settled nor given up then
	next     int64             // of those the one that is waited for, by its position; those behind it are done
	pages    int64             // what that look cost
	due      time.Time         // when the next one is
	trouble  error             // why the store couldn't be asked; nil: it could
	done     int64             // as it was told last
	told     time.Time         // and when
	drawn    *screen.Screen    // of a terminal
	shown    atomic.Pointer[screen.Bar]
}

// Wait is `nth wait`, and gives the exit code: 0 when all is settled and no more has failed
// than may, else 1. An error is a failure with an exit code of its own.
func Wait(c WaitConfig, rest []string, w World) (int, error) {
	p, err := c.parse(rest)
	if err != nil {
		return 0, err
	}
	j := &waiter{parsed: p, c: c, w: w, drawn: screen.New(nil, w.Stderr, "auto")}
	ctx, end := proc.Interruptible("wait for the Job")
	defer end()
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Timeout, errLate)
		defer cancel()
	}
	if err := j.openEnd(ctx); err != nil {
		return 0, err
	}
	if c.Markers != "" || j.end == nil {
		s, err := j.parsed.open(ctx, "--markers", c.Markers, w)
		if s == nil {
			return 0, err
		}
		defer s.Close()
		j.there, j.place = err == nil, cmp.Or(j.place, s.Show(""))
		j.o = Options{Store: s, Policy: j.policy()}
	}
	j.say("waiting for the Job at %s to be settled", j.place)
	stop := j.draw()
	err = j.wait(ctx)
	if stop(); err != nil {
		return 0, err
	}
	return j.ended(), nil
}

// errLate is the end of --timeout.
var errLate = errors.New("the time is over")

// wait asks until the Job is settled.
func (j *waiter) wait(ctx context.Context) error {
	for {
		over, err := j.poll(ctx)
		switch {
		case err == nil && over: // also where the time is over by now
			return nil
		case ctx.Err() != nil:
			return j.stopped(ctx)
		case err != nil && !passing(err) && !isUntold(err):
			return err
		case err != nil && j.trouble == nil: // said once, however long it lasts
			j.say("%s; asking again", failure.From(err).Error())
		}
		j.trouble = err
		select {
		case <-time.After(j.c.Interval):
		case <-ctx.Done():
			return j.stopped(ctx)
		}
	}
}

func isUntold(err error) bool {
	_, ok := errors.AsType[untold](err)
	return ok
}

// stopped is why it waits no longer: a signal, or the time is over.
func (j *waiter) stopped(ctx context.Context) error {
	if context.Cause(ctx) != errLate {
		return context.Cause(ctx)
	}
	f := &failure.Failure{Code: failure.Timeout, Tried: "wait for", On: j.place, Hint: "--timeout waits longer"}
	f.Cause = fmt.Errorf("not settled after %s", j.c.Timeout)
	if j.snap != nil {
		f.Cause = fmt.Errorf("not settled after %s: %s when it was listed last", j.c.Timeout, j.summary())
	}
	if j.trouble != nil {
		why := *failure.From(j.trouble)
		if why.Code == failure.Usage {
			why.Code = failure.Timeout // it isn't wrong, it never began
		}
		return &why
	}
	return f
}

// poll asks what must be asked, and tells whether the Job is settled.
func (j *waiter) poll(ctx context.Context) (over bool, err error) {
	if j.end != nil {
		if over, err := j.readEnd(ctx); err != nil || over {
			return over, err
		}
	}
	if j.o.Store == nil {
		return false, nil
	}
	if over, err = j.ask(ctx); err != nil || !over || j.end == nil {
		return over, err
	}
	if err = j.writeEnd(ctx); err == nil {
		_, err = j.readEnd(ctx)
	}
	return true, err
}

// ask is poll of the markers.
func (j *waiter) ask(ctx context.Context) (over bool, err error) {
	if !j.there {
		if err := place.There(ctx, j.o.Store, j.StoreTimeout); err != nil {
			return false, err
		}
		j.there = true
	}
	if j.snap == nil || time.Now().After(j.due) {
		return j.look(ctx)
	}
	// To list it all is cheaper than to ask for each of more than that.
	for range looksApart + j.pages {
		if j.next < 0 {
			break
		}
		done, err := j.isDone(ctx, j.open.At(j.next))
		if err != nil || !done {
			return false, err
		}
		j.next--
	}
	return j.look(ctx)
}

// isDone asks for one marker.
func (j *waiter) isDone(ctx context.Context, index int64) (done bool, err error) {
	key := marker.Key("done", index)
	err = store.Retry(ctx, j.o.Policy, func(ctx context.Context) (err error) {
		done, err = j.o.Store.Exists(ctx, key)
		return err
	}, nil)
	return done, fail(err, "look for", j.o.Store.Show(key))
}

// look lists everything.
func (j *waiter) look(ctx context.Context) (over bool, err error) {
	began := time.Now()
	if j.o.Of, err = j.indexes(ctx, j.o); err != nil {
		return false, err
	}
	if j.queue {
		return false, &failure.Failure{Code: failure.Setup, Tried: "wait for", On: j.o.Store.Show(""),
			Cause: errors.New("these are the tasks of a queue, and how many are left only its workers know"), Hint: "wait for the workers"}
	}
	snap, err := Scan(ctx, j.o.Store, j.o.Of, j.o.Policy, nil)
	if err != nil {
		return false, err
	}
	took := time.Since(began)
	j.snap, j.pages = snap, max(int64(snap.Requests), int64(took/(10*time.Millisecond)))
	j.due = time.Now().Add(max(time.Duration(max(looksApart, j.pages))*j.c.Interval, busyShare*took))
	givenUp := int64(0)
	j.open = snap.Of.Pick(func(at int64) bool {
		switch state := snap.States[at]; {
		case state == Failed && snap.givenUp(snap.Of.At(at)):
			givenUp++
			return false
		default:
			return state != Done && state != Skipped
		}
	})
	j.next = j.open.Len() - 1
	over = j.open.Len() == 0 || j.MaxFailed != "" && givenUp > j.maxFailed(snap.Len)
	if j.progress(); !over {
		j.changes()
	}
	return over, nil
}

// givenUp tells whether an index that has failed isn't likely to be tried again.
func (s *Snapshot) givenUp(index int64) bool { return s.At.Sub(s.Failures[index]) >= retryPause }

// summary is what there is, in one line.
func (j *waiter) summary() string {
	c := j.snap.Counts()
	parts := []string{fmt.Sprintf("%d of %d settled", c.Done+c.Skipped, j.snap.Len)}
	for _, s := range states[1:] {
		if n := s.count(&c); n > 0 && s.State == Skipped {
			parts = append(parts, fmt.Sprintf("%d of them skipped", n))
		} else if n > 0 && s.State != 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", n, s.name, cutList(j.snap.List(s.State).String(), maxSaid)))
		}
	}
	return strings.Join(parts, ", ")
}

// progress is what a terminal's bar shows.
func (j *waiter) progress() {
	f := frame{snap: j.snap, counts: j.snap.Counts()}
	bar := f.bar()
	j.shown.Store(&bar)
}

// changes tells what is there, where there is no bar: at first, and when it has changed,
// once a minute at most.
func (j *waiter) changes() {
	c := j.snap.Counts()
	settled := c.Done + c.Skipped + c.Failed
	if j.drawn.HasBar() || settled == j.done || !j.told.IsZero() && time.Since(j.told) < time.Minute {
		return
	}
	j.done, j.told = settled, time.Now()
	f := frame{snap: j.snap, counts: c}
	j.say("%s", f.summary(plainWidth))
}

// draw shows the bar on a terminal, until it is stopped.
func (j *waiter) draw() (stop func()) {
	return j.drawn.Beside(func(quit <-chan struct{}) {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			if bar := j.shown.Load(); bar != nil {
				j.drawn.Draw(func(width int) ([]byte, int) { return bar.Render(width, j.drawn.Color()) })
			}
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	})
}

// say writes one line to stderr.
func (j *waiter) say(format string, args ...any) {
	j.drawn.Say([]byte("nth: "), j.w.Secrets.Hide(fmt.Sprintf(format, args...)))
}
