package sqs

import (
	"context"
	"crypto/rand"
	"strconv"
	"time"

	"nth/shim/store/web"
	"nth/shim/task"
)

// message is one, as SQS gives it.
type message struct {
	ID                string `json:"MessageId"`
	Handle            string `json:"ReceiptHandle"`
	Body              string
	Attributes        map[string]string // SQS's own
	MessageAttributes map[string]attribute
}

// attribute is one of the sender's. That of bytes is in Base64.
type attribute struct {
	DataType    string
	StringValue string `json:",omitempty"`
	BinaryValue string `json:",omitempty"`
}

const (
	attributeCount = "ApproximateReceiveCount"
	attributeGroup = "MessageGroupId"
	attributeSent  = "SentTimestamp"
)

type receive struct {
	Queue          string `json:"QueueUrl"`
	Max            int    `json:"MaxNumberOfMessages"`
	Seconds        int    `json:"VisibilityTimeout"`
	Wait           int    `json:"WaitTimeSeconds"`
	AttributeNames []string
	Names          []string `json:"MessageAttributeNames"`
	Try            string   `json:"ReceiveRequestAttemptId,omitempty"`
}

// retry names a take of a FIFO queue that had no answer: asked again under the same
// name, SQS gives the same message, which would else be hidden from all (API
// reference, ReceiveMessage).
type retry struct {
	name  string
	first time.Time
}

// Take takes one task for the lease's time. One that has had all its attempts, whose
// workers died, is put aside instead, as SQS does by a queue's own policy.
func (s *source) Take(ctx context.Context) (*task.Task, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	for {
		if t, err := s.bury(ctx); t != nil || err != nil {
			return t, err
		}
		t, err := s.receive(ctx)
		if t != nil {
			s.identity.NoProcesses() // a command will run, and nth's reaper would take their exits
		}
		if t == nil || err != nil || !s.held.worn(s.maxAttempts) || s.dead == "" {
			return t, err
		}
	}
}

func (s *source) receive(ctx context.Context) (*task.Task, error) {
	if err := ctx.Err(); err != nil {
		return nil, web.Unreachable(ctx, err)
	}
	before := s.now()
	ask := receive{
		Queue: s.queue, Max: 1, Seconds: int((s.lease + s.wait) / time.Second), Wait: int(s.wait / time.Second),
		AttributeNames: []string{attributeCount, attributeGroup, attributeSent}, Names: []string{"All"},
	}
	if s.fifo {
		if s.try.name == "" || before.Sub(s.try.first) > s.lease {
			s.try = retry{rand.Text(), before}
		}
		ask.Try = s.try.name
	}
	ctx, cancel := task.Outlive(ctx)
	defer cancel()
	var answer struct{ Messages []message }
	if err := s.call(ctx, "ReceiveMessage", ask, &answer); err != nil {
		return nil, err
	}
	s.try = retry{}
	if len(answer.Messages) == 0 {
		return nil, nil
	}
	m := &answer.Messages[0]
	if m.ID == "" || m.Handle == "" {
		return nil, web.Foreign(server, "its message has no ID")
	}
	s.quiet.broken()
	s.held = &held{receipt: m.Handle, taken: before, until: before.Add(s.lease + s.wait), message: m}
	t := m.task()
	s.held.attempt = t.Attempt
	return t, nil
}

func (m *message) task() *task.Task {
	t := &task.Task{ID: m.ID, Payload: []byte(m.Body), Receipt: m.Handle, Meta: map[string]string{}}
	t.Attempt, _ = strconv.Atoi(m.Attributes[attributeCount])
	for name, a := range m.MessageAttributes {
		t.Meta[name] = a.StringValue + a.BinaryValue
	}
	for _, name := range []string{attributeGroup, attributeSent} {
		if value := m.Attributes[name]; value != "" {
			t.Meta[name] = value
		}
	}
	return t
}
