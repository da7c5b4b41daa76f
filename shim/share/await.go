package share

import (
	"context"
	"errors"
	"time"

	"nth/shim/claim"
	"nth/shim/identity"
)

// How often a worker looks at its block while others have the last of it.
const (
	firstPause = 200 * time.Millisecond
	maxPause   = 5 * time.Second
)

// await watches those that have chunks of the worker's own block, and takes over from who
// gave one back, or is silent for too long.
func (w *Worker) await(ctx context.Context, wait bool) (*Chunk, error) {
	if w.broken.leaveEarly {
		return nil, nil
	}
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		missing, err := w.missing(ctx)
		if err != nil || len(missing) == 0 {
			return nil, err
		}
		for _, p := range missing {
			if w.broken.noTakeOver {
				break
			}
			c, err := w.takeOver(ctx, p)
			if err != nil || c != nil {
				return c, err
			}
		}
		if !wait {
			return nil, ErrLater
		}
		if w.Waiting != nil {
			w.Waiting()
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-w.Clock.After(pause):
		}
	}
}

// missing gives the chunks of the own block that are neither recorded nor were this
// worker's. Most of the time there are none, and nobody is asked.
func (w *Worker) missing(ctx context.Context) ([]Part, error) {
	list := w.unsettled()
	if len(list) == 0 {
		return nil, nil
	}
	if err := w.learn(ctx, w.Mine.Index); err != nil {
		return nil, err
	}
	return w.unsettled(), nil
}

func (w *Worker) unsettled() (list []Part) {
	known := identity.Union(w.tried, w.done[w.Mine.Index])
	for p := range w.Chunks(w.Mine.Index) {
		if !within(p, known) {
			list = append(list, p)
		}
	}
	return list
}

// takeOver takes a chunk from who had it, where that is allowed by now.
func (w *Worker) takeOver(ctx context.Context, p Part) (*Chunk, error) {
	c := w.watched[p.Start]
	if c == nil {
		c = w.claim(p)
		c.Watch()
		w.watched[p.Start] = c
	}
	l, err := c.Try(ctx)
	if held := (*claim.HeldError)(nil); errors.As(err, &held) || errors.Is(err, claim.ErrSettled) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return w.hold(p, l), nil
}
