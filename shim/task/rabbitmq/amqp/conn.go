// Package amqp is what a worker needs of AMQP 0-9-1 as RabbitMQ speaks it: to log in, to get
// one message, to say what came of it, and to publish a copy. Each call waits for its answer,
// and nothing goes on between calls: a connection that nobody uses is one from which the
// server hears nothing, and that it gives up.
package amqp

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"time"
)

// Conn is a connection with a channel for messages that are got and one for those that are
// published: what goes wrong there doesn't take away what is held here.
type Conn struct {
	// Broken: nothing can be said any more, and the server gives back what was held.
	Broken bool

	net        net.Conn
	in         *bufio.Reader
	read       int // of in, by the last frame
	frameMax   int
	owed       int // answers that nobody waited for until they came
	publishing bool
	published  uint64
	returned   string // why a message came back
}

// The channels.
const (
	getting    = 1
	publishing = 2
)

// Closed is the server's word that a channel, or all of the connection, is closed.
type Closed struct {
	Code    int
	Text    string
	Channel int // 0: the connection
}

func (c *Closed) Error() string { return c.Text }

// Login is how a connection begins.
type Login struct {
	User, Password, VHost string
	Name                  string // by which people know it at the server
	// Heartbeat is half of how long the server lets a connection be that says nothing, in whole
	// seconds.
	Heartbeat time.Duration
}

// Open logs in over a connection, which is closed where that fails.
func Open(ctx context.Context, n net.Conn, l Login) (*Conn, error) {
	c := &Conn{net: n, in: bufio.NewReaderSize(n, firstRead), frameMax: maxFrame}
	err := c.within(ctx, func() error { return c.login(l) })
	if err != nil {
		_ = n.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) login(l Login) error {
	if err := c.write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		return err
	}
	if _, _, err := c.await(0, connectionStart); err != nil {
		return err
	}
	able := appendTable([]byte{'F'}, []Field{{"authentication_failure_close", "t\x01"}, {"basic.nack", "t\x01"}, {"publisher_confirms", "t\x01"}})
	args := appendTable(nil, []Field{Text("product", "nth"), Text("connection_name", l.Name), {"capabilities", string(able)}})
	args = appendLong(appendShort(args, "PLAIN"), "\x00"+l.User+"\x00"+l.Password)
	if err := c.write(appendMethod(nil, 0, connectionStartOK, appendShort(args, "en_US"))); err != nil {
		return err
	}
	_, tune, err := c.await(0, connectionTune)
	if err != nil {
		return err
	}
	tune.number(2)
	if n := int(tune.number(4)); n > overhead && n < c.frameMax {
		c.frameMax = n
	}
	args = binary.BigEndian.AppendUint32([]byte{0, publishing}, uint32(c.frameMax))
	args = binary.BigEndian.AppendUint16(args, uint16(l.Heartbeat/time.Second))
	out := appendMethod(nil, 0, connectionTuneOK, args)
	out = appendMethod(out, 0, connectionOpen, append(appendShort(nil, l.VHost), 0, 0))
	if err := c.write(out); err != nil {
		return err
	}
	if _, _, err := c.await(0, connectionOpenOK); err != nil {
		return err
	}
	return c.open(getting)
}

func (c *Conn) open(channel uint16) error {
	_, _, err := c.call(channel, channelOpen, []byte{0}, channelOpenOK)
	return err
}

// within lets calls be until a context ends. One that its deadline ends may have been
// carried out.
func (c *Conn) within(ctx context.Context, do func() error) error {
	deadline, _ := ctx.Deadline()
	_ = c.net.SetDeadline(deadline)
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = c.net.SetDeadline(time.Unix(1, 0))
		close(ended)
	})
	err := do()
	if !stop() {
		<-ended
	}
	return err
}

func (c *Conn) write(b []byte) error {
	_, err := c.net.Write(b)
	c.Broken = c.Broken || err != nil // nobody knows how much of it has come
	return err
}

// call says something, and waits for one of these answers.
func (c *Conn) call(channel uint16, m method, args []byte, answers ...method) (method, *cursor, error) {
	if err := c.write(appendMethod(nil, channel, m, args)); err != nil {
		return 0, nil, err
	}
	return c.await(channel, answers...)
}

// await reads until one of these answers comes.
func (c *Conn) await(channel uint16, answers ...method) (method, *cursor, error) {
	for {
		f, err := c.frame()
		if err != nil {
			return 0, nil, err
		}
		if f.kind == frameHeartbeat {
			continue
		}
		args := &cursor{rest: f.payload}
		m := method(args.number(4))
		switch {
		case f.kind != frameMethod || args.bad:
			return 0, nil, c.foreign("a method was to come")
		case f.channel == channel && c.owed > 0 && m == basicQosOK && channel == getting:
			c.owed--
		case f.channel == channel && slices.Contains(answers, m):
			return m, args, nil
		default:
			if err := c.unasked(f.channel, m, args); err != nil {
				return 0, nil, err
			}
		}
	}
}

// unasked is what the server says by itself.
func (c *Conn) unasked(channel uint16, m method, args *cursor) error {
	switch m {
	case connectionClose, channelClose:
		closed := &Closed{Code: int(args.number(2)), Text: args.short(), Channel: int(channel)}
		_ = c.write(appendMethod(nil, channel, m+1, nil))
		if channel == publishing {
			c.publishing = false
		} else {
			c.Broken = true
		}
		return closed
	case channelFlow:
		return c.write(appendMethod(nil, channel, channelFlowOK, args.next(1)))
	case basicReturn:
		args.number(2)
		c.returned = args.short()
		_, err := c.content(channel, &Message{})
		return err
	}
	return c.foreign(fmt.Sprintf("method %d.%d came of itself", m>>16, m&0xFFFF))
}

// Close ends the connection, and what is held on it is given back. It waits for no answer.
func (c *Conn) Close() {
	if !c.Broken {
		_ = c.net.SetDeadline(time.Now().Add(time.Second))
		_ = c.write(appendMethod(nil, 0, connectionClose, make([]byte, 7)))
	}
	_ = c.net.Close()
}
