package amqp

import "encoding/binary"

// cursor reads values one after the other. Behind the end there are zeros, and bad is set.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) next(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.bad, c.rest = true, nil
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

// number reads an integer of so many bytes.
func (c *cursor) number(bytes int) (n uint64) {
	for _, b := range c.next(bytes) {
		n = n<<8 | uint64(b)
	}
	return n
}

func (c *cursor) short() string { return string(c.next(int(c.number(1)))) }
func (c *cursor) long() []byte  { return c.next(int(c.number(4))) }

func appendShort(b []byte, text string) []byte {
	text = text[:min(len(text), 255)]
	return append(append(b, byte(len(text))), text...)
}

func appendLong[T string | []byte](b []byte, text T) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// Field is one of a table: its value is a type's letter and what belongs to it.
type Field struct {
	Name  string
	value string
}

// Text makes a field of text.
func Text(name, text string) Field { return Field{name, string(appendLong([]byte{'S'}, text))} }

// Number makes a field of a number.
func Number(name string, n int) Field {
	return Field{name, string(binary.BigEndian.AppendUint64([]byte{'l'}, uint64(n)))}
}

// String gives the value of text.
func (f Field) String() (string, bool) {
	if f.value == "" || f.value[0] != 'S' {
		return "", false
	}
	return f.value[5:], true
}

// Int gives the value of a number, of a truth, or of a time, which is in seconds.
func (f Field) Int() (int64, bool) {
	if f.value == "" {
		return 0, false
	}
	c := cursor{rest: []byte(f.value[1:])}
	size := len(c.rest)
	n := int64(c.number(size))
	switch f.value[0] {
	case 'b', 's', 'I', 'l': // signed: the sign is in the highest bit of what there is
		away := 64 - 8*size
		return n << away >> away, true
	case 't', 'B', 'u', 'i', 'T':
		return n, true
	}
	return 0, false
}

// sizes are of values that are always as long, by the types' letters as RabbitMQ has them
// (its "AMQP 0-9-1 Errata"); those that aren't here begin with their length in four bytes.
const sizes = "V0t1b1B1s2u2I4i4f4D5l8d8T8"

// skip passes over the value of one field.
func (c *cursor) skip() {
	kind := c.next(1)
	if c.bad {
		return
	}
	for i := 0; i < len(sizes); i += 2 {
		if sizes[i] == kind[0] {
			c.next(int(sizes[i+1] - '0'))
			return
		}
	}
	switch kind[0] {
	case 'S', 'x', 'A', 'F':
		c.long()
	default:
		c.bad = true
	}
}

// table reads a table's fields. What is in a field that is itself a table isn't looked at.
func (c *cursor) table() (fields []Field) {
	in := cursor{rest: c.long()}
	for len(in.rest) > 0 {
		name, before := in.short(), in.rest
		in.skip()
		if in.bad {
			c.bad = true
			return nil
		}
		fields = append(fields, Field{name, string(before[:len(before)-len(in.rest)])})
	}
	return fields
}

func appendTable(b []byte, fields []Field) []byte {
	var all []byte
	for _, f := range fields {
		all = append(appendShort(all, f.Name), f.value...)
	}
	return appendLong(b, all)
}
