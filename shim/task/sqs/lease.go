package sqs

import (
	"context"
	"errors"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// held is the task that this worker has.
type held struct {
	receipt string
	taken   time.Time // before the request
	until   time.Time // from then on it may be another's
	unsure  bool      // it was given up, and no answer came
	aside   bool      // it is among the dead already
	attempt int
	message *message
}

// worn: it has been delivered more often than it may fail.
func (h *held) worn(attempts int) bool {
	return h != nil && attempts > 0 && h.attempt > attempts
}

// whole rounds up to SQS's seconds.
func whole(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

// holds gives the lease of a task, or ErrLost.
func (s *source) holds(t *task.Task) (*held, error) {
	switch h := s.held; {
	case h == nil || h.receipt != t.Receipt:
		return nil, task.Lost("it was given up before")
	case !s.now().Before(h.until):
		return nil, task.Lost("it wasn't kept in time")
	default:
		return h, nil
	}
}

// left bounds a time that begins now by what SQS allows from the receipt on.
func (s *source) left(h *held, d time.Duration) time.Duration {
	return max(0, min(whole(d), (longest-s.now().Sub(h.taken)).Truncate(time.Second)))
}

func (s *source) keep(ctx context.Context, h *held) error {
	lease := s.left(h, s.lease)
	if lease < time.Second {
		return task.Lost("SQS leases a message for 12 hours in all")
	}
	before := s.now()
	if err := s.call(ctx, "ChangeMessageVisibility", visibility{receipt{s.queue, h.receipt}, int(lease / time.Second)}, nil); err != nil {
		return err
	}
	if !s.now().Before(h.until) { // AWS says yes to a handle whose time has ended, and does nothing
		return task.Lost("the answer came too late")
	}
	h.until = before.Add(lease)
	return nil
}

// end gives a task up. When an earlier try may have done so, a handle that is no good
// any more says that it did.
func (s *source) end(ctx context.Context, h *held, action string, in any) error {
	err := s.call(ctx, action, in, nil)
	if h.unsure && errors.Is(err, task.ErrLost) {
		err = nil
	}
	if err == nil {
		s.held = nil
	}
	if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Unreachable {
		h.unsure = true
	}
	return err
}
