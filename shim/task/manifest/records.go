package manifest

import (
	"bufio"
	"bytes"
	"hash/crc32"
	"io"
)

// maxRow is the longest row, in bytes.
const maxRow = 16 << 20

// window is how much of a stream is held to find the ends of lines in.
const window = 64 << 10

// castagnoli is computed by the processor. Not at the start: the table behind it, for
// other processors, is made of 8 kB.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// record is one row as it stands in the file, or the header.
type record struct {
	start int64  // its offset; empty lines before it are its own
	size  int64  // in bytes, with those lines and its end
	raw   []byte // without the line's end; good until the next
	long  bool   // it has more than maxRow bytes, and raw is nothing
	open  bool   // the file's end is within quotes
}

// records splits a stream into rows, in memory of one row. Empty lines are none. A
// record's end in csv is found as encoding/csv finds it: quotes that are wrong spoil their
// line and no other, so that one bad row doesn't move those after it.
type records struct {
	in     *bufio.Reader
	format format
	at     int64  // offset of the next byte
	sum    uint32 // of what was read since a block's begin, and
	fresh  uint32 // since its last row: the next block's sum, if one begins there
	state  state
	buffer []byte
}

func newRecords(in io.Reader, f format, at int64) *records {
	return &records{in: bufio.NewReaderSize(in, window), format: f, at: at}
}

// Marks that stand at a file's start.
var (
	bomUTF8    = []byte{0xEF, 0xBB, 0xBF}
	bomsUTF16  = [][]byte{{0xFF, 0xFE}, {0xFE, 0xFF}}
	magicGzip  = []byte{0x1F, 0x8B}
	hintUTF16  = "save it as UTF-8: iconv -f UTF-16 -t UTF-8"
	hintGunzip = "give it a name that ends in .gz"
	hintCR     = "lines end in LF or CRLF: tr '\\r' '\\n' makes such a file"
)

// begin drops a byte order mark, and refuses what can't be text in UTF-8, or in lines.
func (s *records) begin() error {
	head, err := s.in.Peek(window)
	if err != nil && err != io.EOF {
		return err
	}
	for _, bom := range bomsUTF16 {
		if bytes.HasPrefix(head, bom) {
			return bad(hintUTF16, "it is UTF-16")
		}
	}
	if bytes.HasPrefix(head, magicGzip) {
		return bad(hintGunzip, "it is compressed by gzip, and its name doesn't say so")
	}
	if bytes.IndexByte(head, '\n') < 0 && strayCR(head) {
		return bad(hintCR, "its lines end in CR alone, so that all of it would be one row")
	}
	if bytes.HasPrefix(head, bomUTF8) {
		_, err := s.in.Discard(len(bomUTF8))
		s.at += int64(len(bomUTF8))
		return err
	}
	return nil
}

// next gives the next record. With io.EOF comes what is left, which is no record.
func (s *records) next() (record, error) {
	rec := record{start: s.at}
	s.state, s.buffer = fieldStart, s.buffer[:0]
	for {
		chunk, err := s.in.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return rec, err
		}
		s.at += int64(len(chunk))
		s.sum, s.fresh = crc32.Update(s.sum, castagnoli(), chunk), crc32.Update(s.fresh, castagnoli(), chunk)
		rec.size = s.at - rec.start
		s.add(&rec, chunk)
		ended := err == nil && s.state != quoted // else the line's end is within quotes
		if !ended && err != io.EOF {
			continue
		}
		rec.raw = trimEnd(s.buffer)
		empty := len(rec.raw) == 0 && !rec.long
		if empty && err == io.EOF {
			return rec, io.EOF
		}
		if empty {
			s.state, s.buffer = fieldStart, s.buffer[:0]
			continue
		}
		rec.long = rec.long || len(rec.raw) > maxRow
		rec.open = err == io.EOF && s.state == quoted
		if rec.long {
			rec.raw = nil
		}
		return rec, nil
	}
}

// add keeps a piece of the record, unless the record is too long: then no more of
// it is than tells that it isn't empty.
func (s *records) add(rec *record, chunk []byte) {
	if s.format.spans {
		s.state = s.state.after(chunk, s.format)
	}
	if rec.long = rec.long || len(s.buffer)+len(chunk) > maxRow+len("\r\n"); !rec.long {
		s.buffer = append(s.buffer, chunk...)
	}
}

// trimEnd drops a line's end: LF, CRLF, or a CR at the end of the file.
func trimEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'})
}

// strayCR tells whether a line's text holds a CR that stands neither at its end nor before
// others there, as old converters leave them.
func strayCR(text []byte) bool {
	return bytes.IndexByte(bytes.TrimRight(text, "\r"), '\r') >= 0
}

// state is where in a record of fields a reader is.
type state int

const (
	fieldStart state = iota
	plain
	quoted
	quote  // a quote within quotes: the field's end, or the first of two
	lineCR // a CR after the closing quote
	spoilt // until the line's end
)

// after gives the state after a piece of a line.
func (st state) after(chunk []byte, f format) state {
	if (st == fieldStart || st == plain) && bytes.IndexByte(chunk, '"') < 0 {
		switch {
		case len(chunk) == 0:
			return st
		case chunk[len(chunk)-1] == f.comma:
			return fieldStart
		}
		return plain
	}
	for _, c := range chunk {
		st = st.step(c, f)
	}
	return st
}

func (st state) step(c byte, f format) state {
	switch st {
	case spoilt:
	case quoted:
		if c == '"' {
			return quote
		}
	case fieldStart, plain:
		switch {
		case c == f.comma:
			return fieldStart
		case c != '"':
			return plain
		case st == fieldStart:
			return quoted
		}
		return spoilt
	case quote:
		switch c {
		case '"':
			return quoted
		case f.comma:
			return fieldStart
		case '\r':
			return lineCR
		case '\n':
			return plain
		}
		return spoilt
	case lineCR:
		if c == '\n' {
			return plain
		}
		return spoilt
	}
	return st
}
