package rabbitmq

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/rabbitmq/amqp"
)

// deliveries is the header in which a quorum queue tells how often a message was delivered
// before, where it was.
const deliveries = "x-delivery-count"

// Take takes one task. One that has had all its attempts, whose workers died, is put aside
// instead.
func (s *source) Take(ctx context.Context) (*task.Task, error) {
	if ctx.Err() != nil {
		return nil, s.failed(ctx.Err())
	}
	ctx, cancel := task.Outlive(ctx)
	defer cancel()
	if t, err := s.bury(ctx); t != nil || err != nil {
		return t, err
	}
	if s.held != nil && s.held.over { // what came of it couldn't be told: it goes back with the connection
		s.drop()
	}
	var m *amqp.Message
	err := s.ask(ctx, func() (err error) {
		if err = s.look(ctx); err == nil {
			err = s.giveBackRested(ctx)
		}
		if err == nil {
			m, err = s.conn.Get(ctx, s.queue)
		}
		return err
	})
	if m == nil || err != nil {
		return nil, err
	}
	s.hold(m)
	if t, err := s.bury(ctx); t != nil || err != nil {
		return t, err
	}
	t := s.held.task()
	if t.ID == "" && !s.named {
		_ = s.Release(ctx, t) // or with the connection
		return nil, &contract.Error{Kind: contract.Refused, Cause: errNameless, Hint: hintNameless}
	}
	if t.ID == "" {
		sum := sha256.Sum256(m.Body)
		t.ID = "nameless-" + hex.EncodeToString(sum[:8])
		if !s.options.NamesTasks {
			t.Broken = errNameless
		}
	}
	s.named = true
	return t, nil
}

var errNameless error = nameless{}

type nameless struct{}

func (nameless) Error() string {
	return "the message has no message_id, by which it would be known when it is delivered again"
}

const hintNameless = "let who publishes say one; or write --task-id '<<.Task>>': two messages of the same content are one task then"

// look looks once whether the queue for dead tasks is there.
func (s *source) look(ctx context.Context) error {
	if s.looked || s.dead == "" {
		return nil
	}
	if err := s.conn.Exists(ctx, s.dead); err != nil {
		if closed, ok := errors.AsType[*amqp.Closed](err); ok && closed.Code == 404 {
			return &contract.Error{Kind: contract.NoSuch, Cause: errors.New("the queue of dead=: " + s.said(closed.Text)), Hint: hintQueue}
		}
		return err
	}
	s.looked = true
	return nil
}

// hold is what the server has done by giving a message.
func (s *source) hold(m *amqp.Message) {
	h := &held{tag: m.Tag, receipt: fmt.Sprint(s.number, "-", m.Tag), message: m, attempt: 1}
	counted, ok := m.Header(deliveries)
	n, isNumber := counted.Int()
	if ok = ok && isNumber; ok {
		h.attempt = int(n) + 1
	} else {
		if f, has := m.Header(failures); has {
			n, _ := f.Int()
			h.attempt = int(max(n, 0)) + 1
		}
		if m.Redelivered {
			h.attempt++
			h.copies = s.options.MaxAttempts > 0
		}
	}
	s.held = h
}

func (h *held) task() *task.Task {
	m := h.message
	t := &task.Task{ID: m.Get(amqp.MessageID), Payload: m.Body, Attempt: h.attempt, Receipt: h.receipt, Meta: map[string]string{}}
	for _, f := range m.Headers {
		if text, ok := f.String(); ok {
			t.Meta[f.Name] = text
		} else if n, ok := f.Int(); ok {
			t.Meta[f.Name] = strconv.FormatInt(n, 10)
		}
	}
	for p, name := range strings.Fields(amqp.Names) {
		if value := m.Get(amqp.Property(p)); value != "" {
			t.Meta[name] = value
		}
	}
	if t.Meta["exchange"] = m.Exchange; m.Exchange == "" {
		delete(t.Meta, "exchange") // it was put into the queue itself
	}
	t.Meta["routing_key"] = m.Key
	return t
}

// bury puts aside a task that was taken in vain, and gives it. Nil: there is none, or it is
// lost and comes again.
func (s *source) bury(ctx context.Context) (*task.Task, error) {
	h, most := s.held, s.options.MaxAttempts
	if h == nil || most == 0 || h.attempt <= most {
		return nil, nil
	}
	t := h.task()
	t.Attempt = h.attempt - 1 // the last that anybody worked at it in
	t.Aside = fmt.Sprintf("its worker died, or was stopped, in attempt %d of %d", t.Attempt, most)
	err := s.putAside(ctx, h, t.Aside)
	if errors.Is(err, task.ErrLost) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}
