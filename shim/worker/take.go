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
	switch {
	case w.count.unanswered:
		hint = "the last take had no answer: if there was a task in it, that is delivered again when its lease has ended, and may have lost an attempt"
	case w.count.left:
		hint = "not every task that was taken could be settled or given back: what wasn't is delivered again when its lease has ended"
	}
	failure.From(err).Hint = hint
	return err
}

// take waits for a task. Nil without an error: the queue has been empty for long enough,
// and nothing that is unfinished was last ours.
func (w *worker) take(ctx context.Context) (*task.Task, error) {
	poll := firstPoll
	var empty time.Time // since when
	for {
		t, unfinished, err := w.ask(ctx)
		switch {
		case t != nil: // also if a stop signal has come meanwhile: it must be given back
			return t, nil
		case ctx.Err() != nil:
			return nil, w.stoppedBetween()
		case err != nil:
			f := store.Fail(err, w.whose(), "take a task", w.queue.Shown)
			if f.Hint == store.HintUp {
				f.Hint = "is the queue up, and reachable from here? --store-wait says how long it is tried"
			}
			return nil, f
		case unfinished:
			empty = time.Time{}
		case empty.IsZero():
			empty = time.Now()
		}
		if !unfinished && time.Since(empty) >= w.Config.Tasks.IdleTimeout || w.enough() != "" {
			return nil, nil
		}
		wait := poll
		if most := w.Config.Tasks.MaxRuntime; most > 0 {
			wait = min(wait, most-time.Since(w.count.began))
		}
		select {
		case <-ctx.Done():
			return nil, w.stoppedBetween()
		case <-time.After(wait):
		}
		poll = min(2*poll, maxPoll)
	}
}

// ask asks the queue for a task, and, where it has none, whether one is unfinished.
func (w *worker) ask(ctx context.Context) (t *task.Task, unfinished bool, err error) {
	err = store.Retry(ctx, w.policy(w.Config.Stores.StoreWait), func(ctx context.Context) (err error) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if t, err = w.takeNow(ctx); t != nil || err != nil {
			return err
		}
		unfinished, err = w.queue.Unfinished(ctx)
		return err
	}, w.Retrying)
	w.count.asked = w.count.asked || err == nil
	return t, unfinished, err
}

// takeNow makes one call. A stop signal doesn't end nth in the middle of it: there may be a
// task in the answer, which has to be given back then.
func (w *worker) takeNow(ctx context.Context) (*task.Task, error) {
	w.Ending.Close()
	t, err := w.queue.Take(ctx)
	w.count.unanswered = err != nil && store.Classify(err) == contract.Unreachable && !errors.Is(err, task.ErrUnasked)
	if t == nil || ctx.Err() == nil {
		w.Ending.Reopen()
	}
	return t, err
}

// policy gives the retries of a call to the queue. What a server says in the middle of the
// work may be a proxy's word, and is asked again.
func (w *worker) policy(window time.Duration) store.Policy {
	p := store.Policy{Window: window, PerCall: w.Config.Stores.StoreTimeout}
	if w.count.asked {
		p.Final = store.InTheMiddle
	}
	return p
}

// whose tells whose matter it is what the queue says.
func (w *worker) whose() failure.Whose {
	if w.count.asked {
		return failure.TheServer
	}
	return failure.TheJob
}
