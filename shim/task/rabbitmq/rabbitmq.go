// Package rabbitmq takes tasks from a queue of RabbitMQ, classic or quorum, or of another
// server that speaks AMQP 0-9-1:
//
//	amqp://user:password@host:5672/vhost?queue=NAME&dead=NAME&settle=
//
// and amqps:// for TLS. The queue must be there. A message is got when a worker is free for
// it, never before, and acknowledged when its marker is written. Who holds it is the server's
// to know by the connection: there is no lease that could outlive one. So each source has a
// connection of its own, which says something only when the task's lease is renewed: the
// server gives up one that is silent for a lease, as that of a frozen worker, and at once
// one that breaks. What was held on it is anybody's then, and this worker has lost it.
//
// RabbitMQ doesn't tell how often a message was delivered, but for those of quorum queues
// that were delivered before. Of a classic queue it tells that there was an earlier delivery;
// where failures must be counted, every second one is by publishing the message anew, with the
// number in a header. It doesn't tell what others hold either: a worker has seen the queue
// empty for long enough when the server must have noticed the death of whoever died before it
// came (settle). And it knows no delay: a task that failed is held until its pause is over, and
// given back then, or when the worker ends.
package rabbitmq

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"nth/shim/store/web"
	"nth/shim/task"
	"nth/shim/task/rabbitmq/amqp"
)

// source is one worker's view of a queue.
type source struct {
	settings
	options task.Options
	named   bool // by --task-id, or a message had a name

	conn    *amqp.Conn
	number  int // of conn, for receipts
	looked  bool
	held    *held
	resting []rest
	since   time.Time // the server was first reached
	now     func() time.Time
}

// held is the one task that a worker has.
type held struct {
	tag     uint64
	receipt string
	message *amqp.Message
	attempt int
	copies  bool // it is given back by publishing it anew
	copied  bool // it was published, and is only to be acknowledged
	told    bool // the server was told what came of it, and hasn't answered
	over    bool // its worker is done with it
}

// Open opens a queue without asking it anything.
func Open(u *url.URL, o task.Options) (task.Source, error) {
	s, err := parse(u)
	if err != nil {
		return nil, invalid(err, hintURL)
	}
	if o.MaxAttempts > 0 && s.dead == "" {
		return nil, invalid(errors.New("--max-attempts needs a place for dead tasks"),
			"name a queue with &dead= in the URL; a quorum queue's own delivery-limit and dead-letter exchange need neither")
	}
	if s.settle < 0 {
		s.settle = 3*heartbeat(o.Lease) + time.Second
	}
	return &source{settings: s, options: o, named: o.NamesTasks, now: time.Now}, nil
}

// heartbeat is what a server is told for a lease. It looks that often whether it has heard
// anything, and gives up a connection when it hadn't twice: two to three of it after the last
// word.
func heartbeat(lease time.Duration) time.Duration {
	return min(max((lease/2+time.Second-1).Truncate(time.Second), time.Second), 1<<15*time.Second)
}

// Close ends the connection: the server gives back what is held.
func (s *source) Close() error {
	s.drop()
	return nil
}

func (s *source) drop() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.conn, s.held, s.resting = nil, nil, nil
}

// connect gives a connection that isn't known to be broken.
func (s *source) connect(ctx context.Context) error {
	if s.conn != nil && !s.conn.Broken {
		return nil
	}
	s.drop()
	n, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return err
	}
	if s.secure {
		if n, err = secure(ctx, n, s.address); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	s.conn, err = amqp.Open(ctx, n, amqp.Login{User: s.user, Password: s.password, VHost: s.vhost,
		Name: fmt.Sprintf("nth %d %s", s.options.Index, s.options.RunID), Heartbeat: heartbeat(s.options.Lease)})
	if err != nil {
		s.conn = nil
		return err
	}
	s.number++
	if s.since.IsZero() {
		s.since = s.now()
	}
	return nil
}

const (
	dialTimeout   = 10 * time.Second
	answerTimeout = 30 * time.Second
)

func secure(ctx context.Context, n net.Conn, address string) (net.Conn, error) {
	roots, err := web.Roots()
	if err == nil {
		host, _, _ := net.SplitHostPort(address)
		t := tls.Client(n, &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12})
		if err = t.HandshakeContext(ctx); err == nil {
			return t, nil
		}
	}
	_ = n.Close()
	return nil, err
}

// ask does something with the connection, and once more with a new one where the old one was
// closed meanwhile. What was held on that is lost.
func (s *source) ask(ctx context.Context, do func() error) error {
	old := s.conn != nil
	for {
		err := s.connect(ctx)
		if err == nil {
			err = do()
		}
		again := old && err != nil && s.conn != nil && s.conn.Broken && ctx.Err() == nil && !lasts(err)
		if old = false; !again {
			if err != nil {
				return s.failed(err)
			}
			return nil
		}
	}
}

// lasts tells whether an error would be met again with a new connection, or has cost as much
// time as there is.
func lasts(err error) bool {
	closed, ok := errors.AsType[*amqp.Closed](err)
	n, isNet := errors.AsType[net.Error](err)
	return ok && closed.Code != 320 && closed.Code != 406 || isNet && n.Timeout()
}

// Unfinished tells whether there is a message that nobody has, or whether one may be that
// somebody had who died before this worker came: the server doesn't tell what is held.
func (s *source) Unfinished(ctx context.Context) (bool, error) {
	ready := 0
	err := s.ask(ctx, func() (err error) {
		ready, err = s.conn.Ready(ctx, s.queue)
		return err
	})
	if err != nil {
		return false, err
	}
	return ready > 0 || s.held != nil || len(s.resting) > 0 || s.now().Sub(s.since) < s.settle, nil
}

// Done ends a task for good.
func (s *source) Done(ctx context.Context, t *task.Task) error {
	h, err := s.holds(t)
	if err != nil {
		return err
	}
	return s.settled(ctx, h, amqp.Verdict{Tag: h.tag})
}

// Release gives a task back at once. The server counts it as a delivery all the same.
func (s *source) Release(ctx context.Context, t *task.Task) error {
	h, err := s.holds(t)
	if err != nil {
		return err
	}
	return s.settled(ctx, h, amqp.Verdict{Tag: h.tag, Back: true})
}

// holds gives the task that is held, if it is this one.
func (s *source) holds(t *task.Task) (*held, error) {
	if s.held == nil || s.held.receipt != t.Receipt {
		return nil, task.ErrLost
	}
	return s.held, nil
}

// settled tells what came of the task, once, and waits until the server has heard it.
func (s *source) settled(ctx context.Context, h *held, v amqp.Verdict) error {
	h.over = true
	verdicts := []amqp.Verdict{v}
	if h.told {
		verdicts = nil
	}
	h.told = true
	err := s.tell(ctx, verdicts)
	if err == nil {
		s.held = nil
	}
	return err
}

// tell tells what came of messages. With the connection, all that was held on it is lost.
func (s *source) tell(ctx context.Context, verdicts []amqp.Verdict) error {
	err := s.conn.Tell(ctx, verdicts...)
	switch closed, _ := errors.AsType[*amqp.Closed](err); {
	case err == nil:
		return nil
	case !s.conn.Broken:
		return s.failed(err)
	case closed != nil && strings.Contains(closed.Text, tooLong):
		s.drop()
		return task.Lost("the server ended the delivery, which was held for longer than its consumer_timeout: " + hintLong + " (" + s.said(closed.Text) + ")")
	}
	return s.lost(err)
}

// lost gives up the connection, and the task with it.
func (s *source) lost(err error) error {
	s.drop()
	if err == nil {
		return task.Lost("with the connection")
	}
	return task.Lost("with the connection: " + s.explain(err).Error())
}
