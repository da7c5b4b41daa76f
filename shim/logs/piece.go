package logs

import (
	"bytes"
	"fmt"
	"strings"
)

// piece is a part of a log in memory.
type piece struct {
	number int
	limit  int    // of its output, in bytes
	buf    []byte // the output from head on
	saved  int    // how much of it is in the store,
	stored bool   // where there is something of it, if only an empty blob
	failed bool   // a call with it did
	start  int    // of what the store gets, in buf; 0: not yet known

	missing int64  // bytes before it that nobody kept,
	reason  string // and why
	midLine bool   // the part before it ends within a line
}

// head is room before the output, for the line that tells what is missing; a reason
// in it has at most maxReason bytes.
const (
	head      = 512
	maxReason = 400
	firstSize = 4 << 10 // of a buffer, which is doubled as needed
)

// clear makes an old buffer a new one.
func (p *piece) clear() { p.buf = p.buf[:min(head, len(p.buf))] }

func (p *piece) len() int { return max(len(p.buf)-head, 0) }

// reserve makes the buffer that a whole part needs.
func (p *piece) reserve() {
	if p.buf == nil {
		p.buf = make([]byte, head, head+p.limit)
	}
}

// add takes as much as there is room for.
func (p *piece) add(b []byte) int {
	n := min(len(b), p.limit-p.len())
	if need := head + p.len() + n; need > cap(p.buf) {
		grown := make([]byte, head+p.len(), min(max(2*cap(p.buf), need, firstSize), head+p.limit))
		copy(grown, p.buf)
		p.buf = grown
	}
	p.buf = append(p.buf, b[:n]...)
	return n
}

// isNew tells whether the store lacks something of it. A first part without any
// output tells, in the end, that there was none.
func (p *piece) isNew(ended bool) bool {
	return p.saved < p.len() || !p.stored && (p.missing > 0 || ended && p.number == 1)
}

// forget makes room: it leaves out the older half, to the end of a line if there is
// one. Nothing of the piece may have been uploaded.
func (p *piece) forget(reason string) {
	text := p.buf[head:]
	n := (len(text) + 1) / 2
	if at := bytes.IndexByte(text[n:], '\n'); at >= 0 {
		n += at + 1
	}
	p.missing += int64(n)
	p.reason = reason
	p.buf = p.buf[:head+copy(text, text[n:])]
}

// body gives what the store gets, and from then on its beginning stays as it is.
func (p *piece) body() []byte {
	if p.buf != nil && p.start == 0 {
		line := p.gap()
		p.start = head - len(line)
		copy(p.buf[p.start:], line)
	}
	return p.buf[p.start:]
}

// gap is the line for what is missing, or nothing.
func (p *piece) gap() string {
	if p.missing == 0 {
		return ""
	}
	reason := p.reason
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") + "…"
	}
	line := fmt.Sprintf("[nth: %d bytes are missing here: %s]\n", p.missing, reason)
	if p.midLine {
		line = "\n" + line
	}
	return line
}

func (p *piece) endsMidLine() bool {
	return p.len() > 0 && p.buf[len(p.buf)-1] != '\n'
}
