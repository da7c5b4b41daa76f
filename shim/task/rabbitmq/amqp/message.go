package amqp

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
)

// Property is one of what a sender may say of a message.
type Property int

// The properties, in the order in which they are sent.
const (
	ContentType Property = iota
	ContentEncoding
	headers
	DeliveryMode
	Priority
	CorrelationID
	ReplyTo
	Expiration
	MessageID
	Timestamp
	Type
	UserID
	AppID
	clusterID
	properties
)

// Names are the properties' in the specification, with _ for -.
const Names = "content_type content_encoding headers delivery_mode priority correlation_id reply_to expiration message_id timestamp type user_id app_id cluster_id"

// size is how long a property always is; 0: it is text.
func (p Property) size() int {
	switch p {
	case DeliveryMode, Priority:
		return 1
	case Timestamp:
		return 8
	}
	return 0
}

// Said is what its sender says of a message.
type Said struct {
	Headers []Field
	values  [properties]string
	has     [properties]bool
}

// Get gives a property's text, or its number in digits; "" where it isn't said.
func (s *Said) Get(p Property) string {
	if size := p.size(); size > 0 && s.has[p] {
		c := cursor{rest: []byte(s.values[p])}
		return strconv.FormatUint(c.number(size), 10)
	}
	return s.values[p]
}

// Leave makes a property one that isn't said.
func (s *Said) Leave(p Property) { s.has[p], s.values[p] = false, "" }

// SetText says a property of text.
func (s *Said) SetText(p Property, text string) { s.has[p], s.values[p] = true, text }

// Persist says that the message is to outlive the server.
func (s *Said) Persist() { s.has[DeliveryMode], s.values[DeliveryMode] = true, "\x02" }

// Header gives a header; of those of one name the last.
func (s *Said) Header(name string) (f Field, ok bool) {
	for _, h := range s.Headers {
		if h.Name == name {
			f, ok = h, true
		}
	}
	return f, ok
}

// SetHeader puts one in the place of all of its name.
func (s *Said) SetHeader(f Field) {
	s.DropHeaders(f.Name)
	s.Headers = append(s.Headers, f)
}

// DropHeaders leaves out those of these names. Others may still use the list as it was.
func (s *Said) DropHeaders(names ...string) {
	s.Headers = slices.DeleteFunc(slices.Clone(s.Headers), func(f Field) bool { return slices.Contains(names, f.Name) })
}

// Message is one that was got.
type Message struct {
	Said
	Tag         uint64 // of this delivery, on this connection
	Redelivered bool
	Exchange    string
	Key         string
	Body        []byte
}

var errMalformed = errors.New("what came can't be read")

// read reads the header of a message's content.
func (s *Said) read(payload []byte) (size uint64, err error) {
	c := cursor{rest: payload}
	c.next(4) // class, weight
	size = c.number(8)
	flags := c.number(2)
	for p := range properties {
		if flags&(1<<(15-p)) == 0 {
			continue
		}
		switch s.has[p] = true; {
		case p == headers:
			s.Headers = c.table()
		case p.size() > 0:
			s.values[p] = string(c.next(p.size()))
		default:
			s.values[p] = c.short()
		}
	}
	if c.bad || flags&3 != 0 { // more flags follow: there are no more properties
		return 0, errMalformed
	}
	return size, nil
}

// appendTo writes the header of a message's content.
func (s *Said) appendTo(b []byte, size int) []byte {
	b = binary.BigEndian.AppendUint16(b, classBasic)
	b = binary.BigEndian.AppendUint64(append(b, 0, 0), uint64(size))
	var flags uint16
	var values []byte
	for p := range properties {
		if p != headers && !s.has[p] || p == headers && len(s.Headers) == 0 {
			continue
		}
		flags |= 1 << (15 - p)
		switch {
		case p == headers:
			values = appendTable(values, s.Headers)
		case p.size() > 0:
			values = append(values, s.values[p]...)
		default:
			values = appendShort(values, s.values[p])
		}
	}
	return append(binary.BigEndian.AppendUint16(b, flags), values...)
}
