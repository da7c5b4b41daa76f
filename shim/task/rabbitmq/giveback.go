package rabbitmq

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"nth/shim/task"
	"nth/shim/task/rabbitmq/amqp"
)

const (
	// failures is the header of a message that was published anew, for the queue doesn't
	// count: how many attempts it has had.
	failures = "x-nth-attempts"
	// reason is the header that tells of a dead task why it is.
	reason     = "x-nth-failure"
	longReason = 1024
)

// rest is a task that failed, and isn't to be delivered before then.
type rest struct {
	*held
	until time.Time
}

// What is held of tasks that rest. More are given back at once.
const (
	mostResting = 1000
	mostBytes   = 16 << 20
)

// Keep tells that the worker lives, and whether the task is still its own. Tasks that have
// rested are given back: a command may take hours.
func (s *source) Keep(ctx context.Context, t *task.Task) error {
	if _, err := s.holds(t); err != nil {
		return err
	}
	verdicts, err := s.rested(ctx)
	if s.conn.Broken {
		return s.lost(err)
	}
	return s.tell(ctx, verdicts)
}

// Fail gives a task back, or puts it aside.
func (s *source) Fail(ctx context.Context, t *task.Task, f task.Failure) (dead bool, err error) {
	h, err := s.holds(t)
	if err != nil {
		return false, err
	}
	h.over = true
	if most := s.options.MaxAttempts; most > 0 && h.attempt >= most {
		err = s.putAside(ctx, h, f.Reason)
		return err == nil, err
	}
	bytes := 0
	if !h.copies {
		h.message = nil
	} else {
		bytes = len(h.message.Body)
	}
	for _, r := range s.resting {
		if r.copies {
			bytes += len(r.message.Body)
		}
	}
	r := rest{h, s.now().Add(f.After)}
	if len(s.resting) >= mostResting || bytes > mostBytes {
		r.until = s.now()
	}
	s.resting, s.held = append(s.resting, r), nil
	if r.until.After(s.now()) {
		return false, nil
	}
	_ = s.giveBackRested(ctx) // or at the next take, or with the connection
	return false, nil
}

// giveBackRested gives back those whose time is over.
func (s *source) giveBackRested(ctx context.Context) error {
	verdicts, err := s.rested(ctx)
	if len(verdicts) > 0 && !s.conn.Broken {
		err = errors.Join(err, s.conn.Tell(ctx, verdicts...))
	}
	return err
}

// rested takes away those whose time is over, and gives what is to be told of them.
func (s *source) rested(ctx context.Context) (verdicts []amqp.Verdict, err error) {
	now := s.now()
	s.resting = slices.DeleteFunc(s.resting, func(r rest) bool {
		if err != nil || r.until.After(now) {
			return false
		}
		if r.copies && !r.copied {
			if err = s.publish(ctx, s.queue, r.message, amqp.Number(failures, r.attempt), nil); err != nil {
				return false
			}
		}
		verdicts = append(verdicts, amqp.Verdict{Tag: r.tag, Back: !r.copies})
		return true
	})
	return verdicts, err
}

// putAside publishes a task to the dead ones and then acknowledges it: a death in between
// leaves it in both, and the other way round in none.
func (s *source) putAside(ctx context.Context, h *held, why string) error {
	if !h.copied {
		if err := s.publish(ctx, s.dead, h.message, amqp.Text(reason, short(why)), []amqp.Property{amqp.Expiration}); err != nil {
			if s.conn.Broken {
				return s.lost(err)
			}
			return s.failed(err)
		}
		h.copied = true
	}
	return s.settled(ctx, h, amqp.Verdict{Tag: h.tag})
}

// publish puts a copy of a message into a queue, with all that its sender said and a header
// more: but for those headers by which the server would put it elsewhere too, and for the
// user, who must be the one that publishes. Where that is too much, the headers stay behind.
func (s *source) publish(ctx context.Context, queue string, m *amqp.Message, more amqp.Field, without []amqp.Property) error {
	said := m.Said
	said.DropHeaders("CC", "BCC", deliveries, failures)
	said.SetHeader(more)
	said.Persist()
	for _, p := range append(without, amqp.UserID) {
		said.Leave(p)
	}
	err := s.conn.Publish(ctx, queue, &said, m.Body)
	if closed, ok := errors.AsType[*amqp.Closed](err); ok && closed.Code == 311 {
		said.Headers = []amqp.Field{more}
		err = s.conn.Publish(ctx, queue, &said, m.Body)
	}
	return err
}

func short(why string) string {
	why = strings.ToValidUTF8(why, "�")
	if len(why) > longReason {
		why = strings.ToValidUTF8(why[:longReason], "")
	}
	return why
}
