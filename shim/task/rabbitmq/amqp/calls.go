package amqp

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
)

// MaxBody is the largest message: RabbitMQ takes none that is larger.
const MaxBody = 512 << 20

// Ready gives how many messages of a queue nobody has.
func (c *Conn) Ready(ctx context.Context, queue string) (n int, err error) {
	err = c.within(ctx, func() (err error) {
		n, err = c.declare(getting, queue)
		return err
	})
	return n, c.lost(err)
}

// Exists tells, by an error or none, whether there is a queue. What the server says of that
// does no harm to a message that is held.
func (c *Conn) Exists(ctx context.Context, queue string) error {
	return c.lost(c.within(ctx, func() error {
		if err := c.toPublish(); err != nil {
			return err
		}
		_, err := c.declare(publishing, queue)
		return err
	}))
}

func (c *Conn) declare(channel uint16, queue string) (int, error) {
	const passive = 1 // nothing is made
	args := append(appendShort([]byte{0, 0}, queue), passive, 0, 0, 0, 0)
	_, answer, err := c.call(channel, queueDeclare, args, queueDeclareOK)
	if err != nil {
		return 0, err
	}
	answer.short()
	return int(answer.number(4)), nil
}

// Get gives one message of a queue; nil: there is none that nobody has.
func (c *Conn) Get(ctx context.Context, queue string) (m *Message, err error) {
	err = c.within(ctx, func() error {
		which, args, err := c.call(getting, basicGet, append(appendShort([]byte{0, 0}, queue), 0), basicGetOK, basicGetEmpty)
		if err != nil || which == basicGetEmpty {
			return err
		}
		got := &Message{Tag: args.number(8), Redelivered: args.number(1) != 0, Exchange: args.short(), Key: args.short()}
		if args.bad {
			return c.foreign("a message's beginning can't be read")
		}
		m, err = c.content(getting, got)
		return err
	})
	return m, c.lost(err)
}

// content reads what follows a method that brings a message.
func (c *Conn) content(channel uint16, m *Message) (*Message, error) {
	f, err := c.piece(channel, frameHeader)
	if err != nil {
		return nil, err
	}
	size, err := m.Said.read(f.payload)
	if err != nil || size > MaxBody {
		return nil, c.foreign("a message's properties can't be read")
	}
	for uint64(len(m.Body)) < size {
		if f, err = c.piece(channel, frameBody); err != nil {
			return nil, err
		}
		if len(f.payload) == 0 || uint64(len(m.Body)+len(f.payload)) > size {
			return nil, c.foreign("a message isn't as long as it says")
		}
		m.Body = append(m.Body, f.payload...)
	}
	return m, nil
}

// piece reads a frame of a message's content: nothing else comes between on its channel.
func (c *Conn) piece(channel uint16, kind byte) (frame, error) {
	for {
		f, err := c.frame()
		switch {
		case err != nil:
			return f, err
		case f.kind == kind && f.channel == channel:
			return f, nil
		case f.kind == frameHeartbeat:
		case f.kind == frameMethod && f.channel != channel, f.kind == frameMethod && channel == getting:
			args := &cursor{rest: f.payload}
			if err := c.unasked(f.channel, method(args.number(4)), args); err != nil {
				return f, err
			}
		default:
			return f, c.foreign("a message's content was to come")
		}
	}
}

// Verdict is what came of a message.
type Verdict struct {
	Tag  uint64
	Back bool // it is given back, and else it is done
}

// Tell tells what came of messages. Its answer comes when the server has heard it all; an
// error that isn't Broken says that it may have, and that only Tell() need be asked again.
// Without any it tells whether the connection, and what is held on it, is still there.
func (c *Conn) Tell(ctx context.Context, verdicts ...Verdict) error {
	return c.lost(c.within(ctx, func() error {
		var out []byte
		for _, v := range verdicts {
			args := binary.BigEndian.AppendUint64(nil, v.Tag)
			if v.Back {
				const requeue = 2
				out = appendMethod(out, getting, basicNack, append(args, requeue))
			} else {
				out = appendMethod(out, getting, basicAck, append(args, 0))
			}
		}
		out = appendMethod(out, getting, basicQos, []byte{0, 0, 0, 0, 0, 1, 0})
		if err := c.write(out); err != nil {
			return err
		}
		_, _, err := c.await(getting, basicQosOK)
		if late(err) {
			c.owed++
			return &Late{err}
		}
		return err
	}))
}

// Late is the error of an answer that may still come.
type Late struct{ error }

func late(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// lost: after any other error than a channel's, or a late answer, nobody knows what comes next.
func (c *Conn) lost(err error) error {
	closed, ok := errors.AsType[*Closed](err)
	_, later := errors.AsType[*Late](err)
	if err != nil && !later && (!ok || closed.Channel != publishing) {
		c.Broken = true
	}
	return err
}
