// Package sqs takes tasks from a queue of Amazon SQS, standard or FIFO, or of a
// server that speaks its JSON protocol:
//
//	sqs://sqs.eu-west-1.amazonaws.com/123456789012/queue?region=&endpoint=&dead=
//
// The lease is the message's visibility timeout. SQS doesn't say who holds a message,
// and on a standard queue an old receipt handle may pass for a good one ("the request
// succeeds, but the message might not be deleted", API reference, DeleteMessage). So
// the lease is measured here too, from before the request that began it: whoever is
// past its end has lost the task, whatever the server would answer.
package sqs

import (
	"context"
	"net/http"
	"net/url"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"nth/shim/aws"
	"nth/shim/store/web"
	"nth/shim/task"
)

type source struct {
	queue    string // its URL, as SQS calls it
	dead     string // that of the queue for dead tasks; "": the queue's own policy has one
	fifo     bool
	endpoint *url.URL
	region   string
	client   *http.Client
	signer   *v4.Signer
	identity *aws.Identity

	lease       time.Duration // in whole seconds, as SQS counts
	wait        time.Duration // for a task, in one request
	maxAttempts int
	now         func() time.Time

	looked      bool // the queue was asked for its policy
	maxReceives int  // of that policy; 0: it has none
	held        *held
	try         retry // of a take without an answer
	quiet       quiet
}

// poll is how long SQS looks for a task. A second is enough to ask all its servers (a
// short poll asks some, and may find nothing where there is something), and short
// enough to wait for when a signal comes.
const poll = time.Second

// Open opens a queue without asking it anything.
func Open(u *url.URL, o task.Options) (task.Source, error) {
	s, err := parse(u, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func newSource(o task.Options) *source {
	return &source{
		client: web.Client(), signer: v4.NewSigner(), wait: poll, now: time.Now,
		lease: max(whole(o.Lease), time.Second), maxAttempts: o.MaxAttempts, quiet: quiet{least: settle},
	}
}

// Close closes connections.
func (s *source) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Keep begins the lease's time anew.
func (s *source) Keep(ctx context.Context, t *task.Task) error {
	h, err := s.holds(t)
	if err != nil {
		return err
	}
	return s.keep(ctx, h)
}

// Done ends a task for good.
func (s *source) Done(ctx context.Context, t *task.Task) error {
	h, err := s.holds(t)
	if err != nil {
		return err
	}
	return s.end(ctx, h, "DeleteMessage", receipt{Queue: s.queue, Handle: h.receipt})
}

// Release gives a task back at once. It counts as a delivery all the same.
func (s *source) Release(ctx context.Context, t *task.Task) error {
	h, err := s.holds(t)
	if err != nil {
		return err
	}
	return s.end(ctx, h, "ChangeMessageVisibility", visibility{receipt{s.queue, h.receipt}, 0})
}
