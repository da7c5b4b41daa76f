package sqs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/shim/task"
)

type attributes struct {
	Queue string   `json:"QueueUrl"`
	Names []string `json:"AttributeNames"`
}

// look asks the queue once where its dead tasks go.
func (s *source) look(ctx context.Context) error {
	if s.looked {
		return nil
	}
	answer, err := s.attributes(ctx, s.queue, "RedrivePolicy")
	if err != nil {
		return err
	}
	if s.maxReceives, err = readPolicy(answer["RedrivePolicy"]); err != nil {
		return err
	}
	if s.maxAttempts > 0 && s.maxReceives == 0 && s.dead == "" {
		return invalid(errors.New("--max-attempts needs a place for dead tasks, and the queue has no redrive policy"),
			"give the queue one, whose maxReceiveCount counts then, or name a queue with dead= in the URL")
	}
	if s.dead != "" {
		_, err := s.attributes(ctx, s.dead, "QueueArn")
		if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind != contract.Denied { // whoever may send need not be allowed to look
			return &contract.Error{Kind: e.Kind, Cause: errors.New("the queue of dead=: " + e.Error()), Hint: e.Hint}
		}
	}
	s.looked = true
	return nil
}

func (s *source) attributes(ctx context.Context, queue string, names ...string) (map[string]string, error) {
	var answer struct{ Attributes map[string]string }
	err := s.call(ctx, "GetQueueAttributes", attributes{queue, names}, &answer)
	return answer.Attributes, err
}

// readPolicy gives maxReceiveCount, which some servers give as text; 0 without a policy.
func readPolicy(policy string) (int, error) {
	if policy == "" {
		return 0, nil
	}
	var p struct{ MaxReceiveCount any }
	if err := json.Unmarshal([]byte(policy), &p); err == nil {
		switch n := p.MaxReceiveCount.(type) {
		case float64:
			return int(n), nil
		case string:
			if n, err := strconv.Atoi(n); err == nil {
				return n, nil
			}
		}
	}
	return 0, web.Foreign(server, "the redrive policy has no maxReceiveCount")
}

// exhausted tells whether a delivery was the last. The queue's own policy holds in any
// case; --max-attempts with dead=, which needs none.
func (s *source) exhausted(attempt int) bool {
	return s.maxReceives > 0 && attempt >= s.maxReceives ||
		s.dead != "" && s.maxAttempts > 0 && attempt >= s.maxAttempts
}

// Fail gives a task back, or puts it aside: into the queue of dead=, or by making it
// visible for SQS itself, which moves it when it is asked for the next task.
func (s *source) Fail(ctx context.Context, t *task.Task, f task.Failure) (dead bool, err error) {
	h, err := s.holds(t)
	if err != nil {
		return false, err
	}
	dead = s.exhausted(t.Attempt)
	after := f.After
	if dead {
		after = 0
	}
	if dead && s.dead != "" {
		err = s.putAside(ctx, h, f.Reason)
	} else {
		err = s.end(ctx, h, "ChangeMessageVisibility", visibility{receipt{s.queue, h.receipt}, int(s.left(h, after) / time.Second)})
	}
	return dead && err == nil, err
}

// bury puts aside a task that was taken in vain, and gives it. Nil: there is none, or it
// is lost and comes again.
func (s *source) bury(ctx context.Context) (*task.Task, error) {
	h := s.held
	if s.dead == "" || !h.worn(s.maxAttempts) {
		return nil, nil
	}
	t := h.message.task()
	t.Attempt = h.attempt - 1 // the last that anybody worked at it in
	t.Aside = fmt.Sprintf("its worker died, or was stopped, in attempt %d of %d", t.Attempt, s.maxAttempts)
	err := task.ErrLost
	if s.now().Before(h.until) {
		err = s.putAside(ctx, h, t.Aside)
	}
	if errors.Is(err, task.ErrLost) {
		s.held = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

type send struct {
	Queue         string               `json:"QueueUrl"`
	Body          string               `json:"MessageBody"`
	Attributes    map[string]attribute `json:"MessageAttributes,omitempty"`
	Group         string               `json:"MessageGroupId,omitempty"`
	Deduplication string               `json:"MessageDeduplicationId,omitempty"`
}

// putAside sends a task to the dead ones and then deletes it: a death in between
// leaves it in both, and the other way round in none.
func (s *source) putAside(ctx context.Context, h *held, reason string) error {
	if !h.aside {
		if err := s.keep(ctx, h); err != nil { // it is still ours, and stays so for a while
			return err
		}
		if err := s.sendDead(ctx, h.message, reason); err != nil {
			return err
		}
		h.aside = true
	}
	return s.end(ctx, h, "DeleteMessage", receipt{s.queue, h.receipt})
}

// The limits of a message (Developer Guide, "Amazon SQS message quotas").
const (
	maxAttributes = 10
	maxReason     = 1024
)

// attributeReason is why a dead task failed.
const attributeReason = "NthFailure"

// sendDead sends a copy with all that the sender said, and, if there is room, the
// reason.
func (s *source) sendDead(ctx context.Context, m *message, reason string) error {
	out := send{Queue: s.dead, Body: m.Body, Attributes: m.MessageAttributes, Group: m.Attributes[attributeGroup]}
	if strings.HasSuffix(s.dead, fifo) {
		out.Deduplication = m.ID // a second one within 5 minutes isn't taken
		if out.Group == "" {
			out.Group = m.ID
		}
	} else if s.fifo {
		out.Group = "" // its order ends here
	}
	if reason = text(reason); reason != "" && len(m.MessageAttributes) < maxAttributes {
		with := out
		with.Attributes = maps.Clone(m.MessageAttributes)
		if with.Attributes == nil {
			with.Attributes = map[string]attribute{}
		}
		with.Attributes[attributeReason] = attribute{DataType: "String", StringValue: reason}
		err := s.call(ctx, "SendMessage", with, nil)
		if e, ok := errors.AsType[*contract.Error](err); !ok || !e.Kind.Final() {
			return err
		}
	}
	return s.call(ctx, "SendMessage", out, nil)
}

// text leaves of a reason what SQS takes: no control characters, and not too much.
func text(reason string) string {
	reason = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(reason, "�"))
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	return strings.TrimSpace(reason)
}
