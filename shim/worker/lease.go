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
// last one that was was sent, and at first from when the task was asked for: the answer
// may have been long on its way, or nth paused since.
func (p *place) hold(ctx context.Context, t *task.Task) *lease {
	l := &lease{lost: make(chan struct{}), done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	held, whole := p.asked, p.Config.Tasks.Lease
	if !t.Sent.IsZero() {
		held = t.Sent
	}
	l.ended.Go(func() {
		every := max(whole/3, time.Millisecond)
		for due := held.Add(every); ; due = due.Add(max(every, time.Since(due))) {
			select {
			case <-l.done:
				return
			case <-time.After(time.Until(due)):
			}
			sent := time.Now()
			err := p.keep(t)
			switch {
			case err == nil:
				held = sent
			case errors.Is(err, task.ErrLost):
				l.lose("another worker has it by now" + p.Secrets.Hide(task.WhyLost(err)))
				return
			case time.Since(held) >= whole:
				l.lose(fmt.Sprintf("no renewal was accepted for %s, and another worker may have it by now", whole))
				return
			default:
				p.Log.Warn().Str("task", p.Secrets.Hide(t.ID)).Msg("renew the task's lease: " + p.Said(err) + "; trying again")
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

func (p *place) keep(t *task.Task) error {
	ctx, cancel := context.WithTimeout(context.Background(), min(p.Config.Stores.StoreTimeout, max(p.Config.Tasks.Lease/3, time.Second)))
	defer cancel()
	return p.queue.Keep(ctx, t)
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
