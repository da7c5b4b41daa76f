package amqp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
)

// The kinds of frames.
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8
	frameEnd       = 0xCE
)

const (
	// maxFrame is the largest frame that is sent, and that the server is asked to send: its own
	// limit, unless that was changed, for what a sender says of a message is in one frame.
	maxFrame = 128 << 10
	// mostHeader is more than that may be when it comes, as the server adds to it.
	mostHeader = 1 << 20
	firstRead  = 16 << 10 // of what comes at once
)

// overhead is what of a frame isn't its payload.
const overhead = 8

type frame struct {
	kind    byte
	channel uint16
	payload []byte // until the next one is read
}

// frame reads one. After a deadline it goes on where it was.
func (c *Conn) frame() (f frame, err error) {
	if c.read > 0 {
		_, _ = c.in.Discard(c.read)
		c.read = 0
	}
	head, err := c.in.Peek(overhead - 1)
	if err != nil {
		if len(head) > 3 && string(head[:4]) == "AMQP" {
			err = errors.New("the server speaks another version of AMQP")
		}
		return f, err
	}
	size := binary.BigEndian.Uint32(head[3:])
	if kind := head[0]; kind == 0 || kind > frameHeartbeat || size > mostHeader {
		return f, c.foreign(fmt.Sprintf("it begins with %q", head))
	}
	if whole := int(size) + overhead; whole > c.in.Size() {
		c.in = bufio.NewReaderSize(c.in, whole)
	}
	all, err := c.in.Peek(int(size) + overhead)
	if err != nil {
		return f, err
	}
	if all[len(all)-1] != frameEnd {
		return f, c.foreign("a frame has no end")
	}
	c.read = len(all)
	return frame{all[0], binary.BigEndian.Uint16(all[1:]), all[overhead-1 : len(all)-1]}, nil
}

// Foreign is the error for what is no AMQP.
type Foreign string

func (f Foreign) Error() string { return string(f) }

// foreign gives up the connection.
func (c *Conn) foreign(why string) error {
	c.Broken = true
	return Foreign(why)
}

func appendFrame(b []byte, kind byte, channel uint16, payload []byte) []byte {
	b = binary.BigEndian.AppendUint16(append(b, kind), channel)
	return append(appendLong(b, payload), frameEnd)
}

// method is a class and one of its methods.
type method uint32

const classBasic = 60

// The methods (AMQP 0-9-1 reference, and RabbitMQ's extensions: nack and confirm).
const (
	connectionStart   method = 10<<16 | 10
	connectionStartOK method = 10<<16 | 11
	connectionTune    method = 10<<16 | 30
	connectionTuneOK  method = 10<<16 | 31
	connectionOpen    method = 10<<16 | 40
	connectionOpenOK  method = 10<<16 | 41
	connectionClose   method = 10<<16 | 50
	connectionCloseOK method = 10<<16 | 51
	channelOpen       method = 20<<16 | 10
	channelOpenOK     method = 20<<16 | 11
	channelFlow       method = 20<<16 | 20
	channelFlowOK     method = 20<<16 | 21
	channelClose      method = 20<<16 | 40
	channelCloseOK    method = 20<<16 | 41
	queueDeclare      method = 50<<16 | 10
	queueDeclareOK    method = 50<<16 | 11
	basicQos          method = classBasic<<16 | 10
	basicQosOK        method = classBasic<<16 | 11
	basicPublish      method = classBasic<<16 | 40
	basicReturn       method = classBasic<<16 | 50
	basicGet          method = classBasic<<16 | 70
	basicGetOK        method = classBasic<<16 | 71
	basicGetEmpty     method = classBasic<<16 | 72
	basicAck          method = classBasic<<16 | 80
	basicNack         method = classBasic<<16 | 120
	confirmSelect     method = 85<<16 | 10
	confirmSelectOK   method = 85<<16 | 11
)

func appendMethod(b []byte, channel uint16, m method, args []byte) []byte {
	return appendFrame(b, frameMethod, channel, append(binary.BigEndian.AppendUint32(nil, uint32(m)), args...))
}
