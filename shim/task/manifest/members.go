package manifest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
)

// counter counts the bytes that were taken from it. It is read byte by byte, so that
// no more is taken than belongs to a member (gzip.Reader.Multistream).
type counter struct {
	*bufio.Reader
	at int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.at += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.Reader.ReadByte()
	if err == nil {
		c.at++
	}
	return b, err
}

// member is one of the files that a .gz is joined of (RFC 1952, section 2.2): reading
// can begin at each. bgzip and pigz -i write many, gzip writes one.
type member struct {
	start, end int64 // in the file
	at         int64 // the offset of its first byte among the uncompressed
}

// members reads a .gz, and knows where its members are.
type members struct {
	in   *counter
	z    *gzip.Reader
	at   int64
	list []*member // those that a reader behind may still be in
}

func newMembers(in io.Reader) (*members, error) {
	m := &members{in: &counter{Reader: bufio.NewReaderSize(in, window)}}
	z, err := gzip.NewReader(m.in)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // no bytes are no .gz
	}
	if err != nil {
		return nil, err
	}
	m.z = z
	m.begun(0)
	return m, nil
}

// begun notes a member that starts at an offset.
func (m *members) begun(start int64) {
	m.z.Multistream(false)
	if last := len(m.list) - 1; last >= 0 && m.list[last].at == m.at {
		m.list = m.list[:last] // it was empty
	}
	m.list = append(m.list, &member{start: start, at: m.at})
}

func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.z.Read(p)
		m.at += int64(n)
		if err != io.EOF {
			return n, err
		}
		end := m.in.at
		m.list[len(m.list)-1].end = end
		err = m.padding()
		if err == nil {
			err = m.z.Reset(m.in)
		}
		switch {
		case err == nil:
			m.begun(end)
		case n == 0 || err != io.EOF:
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
}

// padding reads what may stand behind the last member, and gives io.EOF then: zeros to the
// end, as tapes and blocks of a device leave them and gzip passes over.
func (m *members) padding() error {
	if head, _ := m.in.Peek(len(magicGzip)); len(head) == 0 || bytes.HasPrefix(magicGzip, head[:1]) {
		return nil // another member, or the end
	}
	for from := m.in.at; ; {
		switch b, err := m.in.ReadByte(); {
		case err != nil:
			return err
		case b != 0:
			return bad("gzip ignores it with a warning: is the file whole, and nothing written behind it?",
				"from byte %d on stands what is no .gz, behind one that is whole", from)
		}
	}
}

// holding gives the member that an uncompressed offset is in, and forgets those
// before it.
func (m *members) holding(at int64) *member {
	for len(m.list) > 1 && m.list[1].at <= at {
		m.list = m.list[1:]
	}
	return m.list[0]
}
