package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"nth/shim/task"
)

// lease keeps a task while it is worked on.
type lease struct {
	ctx    context.Context // of what comes before the command; ends when it is lost
	cancel context.CancelCauseFunc
	lost   chan struct{} // closed when it is
	why    string        // it is lost
	done   chan struct{}
	ended  sync.WaitGroup
}

// hold renews a task's lease every third of its time. It is lost when the queue says
// so, or when no renewal has been accepted for all of its time, counted from when the
// last one that was was sent.
func (w *worker) hold(ctx context.Context, t *task.Task) *lease {
	l := &lease{lost: make(chan struct{}), done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	held, whole := time.Now(), w.Config.Tasks.Lease
	l.ended.Go(func() {
		tick := time.NewTicker(max(whole/3, time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-l.done:
				return
			case <-tick.C:
			}
			sent := time.Now()
			err := w.keep(t)
			switch {
			case err == nil:
				held = sent
			case errors.Is(err, task.ErrLost):
				l.lose("another worker has it by now")
				return
			case time.Since(held) >= whole:
				l.lose(fmt.Sprintf("no renewal was accepted for %s, and another worker may have it by now", whole))
				return
			default:
				w.Log.Warn().Str("task", w.Secrets.Hide(t.ID)).Msg("renew the task's lease: " + w.Said(err) + "; trying again")
			}
		}
	})
	return l
}

func (l *lease) lose(why string) {
	l.why = why
	close(l.lost)
	l.cancel(task.ErrLost)
}

func (w *worker) keep(t *task.Task) error {
	ctx, cancel := context.WithTimeout(context.Background(), min(w.Config.Stores.StoreTimeout, max(w.Config.Tasks.Lease/3, time.Second)))
	defer cancel()
	return w.queue.Keep(ctx, t)
}

// release ends the renewal, and not the lease.
func (l *lease) release() {
	close(l.done)
	l.ended.Wait()
	l.cancel(nil)
}

func (l *lease) isLost() bool {
	select {
	case <-l.lost:
		return true
	default:
		return false
	}
}
