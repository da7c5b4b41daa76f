package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nth/shim/item"
	"nth/shim/once"
	"nth/shim/source"
)

// place is where one task after the other is worked at.
type place struct {
	worker    *worker
	*once.Way // the worker's; of several, with signals and a slot of the task, and an output of its own
	queue     *source.Queue
	asked     time.Time // when the last take was begun
	// unanswered: the last take was sent, as far as is known, and had no answer.
	unanswered bool
}

// errStopped is the error of a place that a stop signal ended between two tasks.
var errStopped = errors.New("stopped between two tasks")

// asking is the run as the queue sees it: what it knows a delivery by must not be the same for
// two tasks that are held at a time.
func (p *place) asking(n int) *item.Run {
	if n == 0 {
		return p.Run
	}
	run := *p.Run
	run.RunID = fmt.Sprint(run.RunID, "-", n)
	return &run
}

// next takes the next task its way. False: there is none for this worker any more.
func (p *place) next(ctx context.Context) (more bool, err error) {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.worker.line.over, cancel)()
	t, err := p.take(asking, ctx)
	if t == nil || err != nil {
		return false, err
	}
	defer p.worker.line.leave()
	p.worker.warned.Do(func() { p.warn(ctx) })
	switch {
	case t.Aside != "":
		p.bury(ctx, t)
		return true, nil
	case p.worker.line.failed() && ctx.Err() == nil: // meanwhile
		p.delivery(t, 0).giveBack()
		return false, nil
	}
	return true, p.do(ctx, t)
}

// warn tells what a source thinks of its server, once it is known to answer.
func (p *place) warn(ctx context.Context) {
	s, ok := p.queue.Source.(interface{ Warning(context.Context) string })
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, p.Config.Stores.StoreTimeout)
	defer cancel()
	if text := s.Warning(ctx); text != "" {
		p.Log.Warn().Msg(text)
	}
}
