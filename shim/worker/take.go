package worker

import (
	"context"
	"errors"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task"
)

// Between two looks into a queue that has nothing for us.
const (
	firstPoll = 100 * time.Millisecond
	maxPoll   = 5 * time.Second
)

func (w *worker) stoppedBetween() error {
	err := w.Stopped("take a task")
	hint := "every task that was taken is settled or given back"
	for _, p := range w.places {
		if p.unanswered {
			hint = "the last take had no answer: if there was a task in it, that is delivered again when its lease has ended, and may have lost an attempt"
			failure.From(err).Hint = hint
			return err
		}
	}
	if w.count.of().left {
		hint = "not every task that was taken could be settled or given back: what wasn't is delivered again when its lease has ended"
	}
	failure.From(err).Hint = hint
	return err
}

// taking is one wait for a task.
type taking struct {
	*place
	turn  bool // it is this place that asks while the queue has none
	must  bool // it mustn't ask before it is
	poll  time.Duration
	empty time.Time // since when the queue is
}

// take waits for a task. Nil without an error: there is none for this place any more: the
// queue has been empty for long enough, and nothing that is unfinished was last ours. asking
// ends with ctx, and when no place takes a task any more.
func (p *place) take(asking, ctx context.Context) (*task.Task, error) {
	t := &taking{place: p, poll: firstPoll}
	defer t.leaveTurn()
	for over := t.worker.late(); !over; {
		var got *task.Task
		var err error
		if !t.mayAsk(asking) {
			err = asking.Err()
		} else if got, over, err = t.once(asking); got != nil {
			return got, nil // also if a stop signal has come meanwhile: it must be given back
		}
		switch {
		case p.worker.line.over.Err() != nil:
			return nil, nil
		case ctx.Err() != nil:
			return nil, errStopped
		case asking.Err() != nil:
			return nil, nil
		case err != nil:
			return nil, p.untaken(err)
		case over || t.worker.late():
			return nil, nil
		case t.turn && !t.wait(asking) && ctx.Err() != nil:
			return nil, errStopped
		}
	}
	return nil, nil
}

// mayAsk waits for this place's turn, where it must.
func (t *taking) mayAsk(asking context.Context) bool {
	l := t.worker.line
	select {
	case l.turn <- struct{}{}:
		t.turn = true
		return true
	default:
	}
	if t.turn || !t.must && !l.waits() {
		return true
	}
	select {
	case l.turn <- struct{}{}:
		t.turn = true
		return l.over.Err() == nil // who had it before may have found that there is none
	case <-asking.Done():
		return false
	}
}

func (t *taking) leaveTurn() {
	if t.turn {
		<-t.worker.line.turn
	}
}

// once asks once. Over: there will be no task for this place.
func (t *taking) once(ctx context.Context) (_ *task.Task, over bool, err error) {
	l := t.worker.line
	may, later := l.enter(t.Config.Tasks.MaxTasks)
	if t.must = !may; t.must {
		return nil, !later, nil
	}
	got, unfinished, err := t.ask(ctx, t.turn)
	l.answered(got, t.turn)
	switch {
	case got != nil || err != nil:
		return got, false, err
	case unfinished:
		t.empty = time.Time{}
		return nil, false, nil
	case t.empty.IsZero():
		t.empty = time.Now()
	}
	if time.Since(t.empty) < t.Config.Tasks.IdleTimeout {
		return nil, false, nil
	}
	l.end(nil)
	return nil, true, nil
}

// wait waits until the queue is to be asked again.
func (t *taking) wait(asking context.Context) bool {
	wait := t.poll
	if most := t.worker.until.most; most > 0 {
		wait = min(wait, most-time.Since(t.worker.count.began))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	t.poll = min(2*t.poll, maxPoll)
	select {
	case <-asking.Done():
		return false
	case <-t.worker.line.look:
	case <-timer.C:
	}
	return true
}

// untaken is the failure of a take.
func (p *place) untaken(err error) error {
	f := store.Fail(err, p.whose(), "take a task from", p.queue.Shown)
	if f.Hint == store.HintUp {
		f.Hint = "is the queue up, and reachable from here? --store-wait says how long it is tried"
	}
	return f
}

// ask asks the queue for a task, and, where it has none and this place asks for all, whether
// one is unfinished: one that another place has is.
func (p *place) ask(ctx context.Context, forAll bool) (t *task.Task, unfinished bool, err error) {
	err = store.Retry(ctx, p.policy(p.Config.Stores.StoreWait), func(ctx context.Context) (err error) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if t, err = p.takeNow(ctx); t != nil || err != nil {
			return err
		}
		if unfinished = !forAll || !p.worker.line.alone(); !unfinished {
			unfinished, err = p.queue.Unfinished(ctx)
		}
		return err
	}, func(err error, wait time.Duration) { p.RetryingTo("queue", err, wait) })
	if err == nil {
		p.worker.count.note(func(c *totals) { c.asked, c.found = true, c.found || t != nil })
	}
	return t, unfinished, err
}

// takeNow makes one call. A stop signal doesn't end nth in the middle of it: there may be a
// task in the answer, which has to be given back then.
func (p *place) takeNow(ctx context.Context) (*task.Task, error) {
	p.Ending.Close()
	p.asked = time.Now()
	t, err := p.queue.Take(ctx)
	p.unanswered = err != nil && store.Classify(err) == contract.Unreachable && !errors.Is(err, task.ErrUnasked)
	if t == nil || ctx.Err() == nil {
		p.Ending.Reopen()
	}
	return t, err
}

// policy gives the retries of a call to the queue. What a server says in the middle of the
// work may be a proxy's word, and is asked again.
func (p *place) policy(window time.Duration) store.Policy {
	policy := store.Policy{Window: window, PerCall: p.Config.Stores.StoreTimeout}
	if p.worker.count.of().asked {
		policy.Final = store.InTheMiddle
	}
	return policy
}

// whose tells whose matter it is what the queue says.
func (p *place) whose() failure.Whose {
	if p.worker.count.of().asked {
		return failure.TheServer
	}
	return failure.TheJob
}
