package local

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"syscall"
	"time"

	"nth/shim/screen"
)

const (
	chunk = 32 << 10

	// maxLine is the longest line that is kept whole, in bytes. A longer one, or
	// binary output, is cut into lines of this length: to keep it whole would
	// need either unbounded memory or all other children waiting for its end.
	maxLine = 64 << 10

	// afterExit bounds what is still read once a child has ended, in bytes: the
	// largest pipe that Linux gives without privileges. Whatever the child itself
	// wrote fits; a process it left behind could go on for ever.
	afterExit = 1 << 20

	// maxMessage bounds what is kept of why an index failed, in bytes.
	maxMessage = 300
)

// lines passes one stream on, line by line, each with a prefix. It takes no faster than the
// screen does: a slow reader slows down who writes.
type lines struct {
	screen *screen.Screen
	to     screen.Stream
	prefix []byte

	rest []byte // a line without its end, at most maxLine
	cut  bool   // what went before was cut at maxLine
	last []byte // the last line, at most maxMessage+1
	lost error  // why something couldn't be written
}

// Write takes a piece of any size. What can't be passed on is no error: it stops the Job.
func (l *lines) Write(p []byte) (int, error) {
	for piece := range slices.Chunk(p, chunk) { // of a larger one, a line might stay whole that is too long
		l.take(piece)
	}
	return len(p), nil
}

// end is for when nothing more comes: a line without an end gets one.
func (l *lines) end() {
	if len(l.rest) > 0 {
		l.take([]byte("\n"))
	}
}

// feed passes one stream of a child on, which it reads from a pipe. What the lines know is valid
// when done is closed.
type feed struct {
	lines
	r, w *os.File
	done chan struct{}
}

func newFeed(s *screen.Screen, to screen.Stream, prefix []byte) (*feed, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	// A command that dropped its privileges may open /dev/stderr again.
	_ = w.Chmod(0o666)
	return &feed{lines: lines{screen: s, to: to, prefix: prefix}, r: r, w: w, done: make(chan struct{})}, nil
}

// abandon closes a feed that was never started.
func (f *feed) abandon() {
	f.r.Close()
	f.w.Close()
}

// copy passes everything on until the stream ends, or until the child has ended
// and the pipe is empty.
func (f *feed) copy() {
	defer close(f.done)
	defer f.r.Close()
	buf := make([]byte, chunk)
	for {
		n, err := f.r.Read(buf)
		f.take(buf[:n])
		if err == nil {
			continue
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			f.drain(buf)
		}
		break
	}
	f.end()
}

// finish says that the child has ended: all that it wrote is in the pipe.
func (f *feed) finish() {
	_ = f.r.SetReadDeadline(time.Unix(1, 0)) // wakes the reader
}

// drain reads what is in the pipe without waiting for more: somebody else may
// hold it open.
func (f *feed) drain(buf []byte) {
	_ = f.r.SetReadDeadline(time.Time{})
	raw, err := f.r.SyscallConn()
	if err != nil {
		return
	}
	for left := afterExit; left > 0; {
		var n int
		var errno error
		err := raw.Read(func(fd uintptr) bool {
			n, errno = syscall.Read(int(fd), buf)
			return true
		})
		if errno == syscall.EINTR {
			continue
		}
		if err != nil || errno != nil || n <= 0 {
			return
		}
		f.take(buf[:n])
		left -= n
	}
}

// take passes on every complete line and keeps the rest.
func (f *lines) take(p []byte) {
	if f.cut && len(f.rest) == 0 && len(p) > 0 {
		f.cut = false
		if p[0] == '\n' { // the end of the line that was cut
			p = p[1:]
		}
	}
	end := bytes.LastIndexByte(p, '\n') + 1
	if end > 0 {
		f.emit(f.rest, p[:end])
		f.rest = f.rest[:0]
	}
	f.rest = append(f.rest, p[end:]...)
	for len(f.rest) >= maxLine {
		f.emit(f.rest[:maxLine], []byte("\n"))
		f.rest = append(f.rest[:0], f.rest[maxLine:]...)
		f.cut = true
	}
}

// emit writes head+tail, which end with a line break, as prefixed lines.
func (f *lines) emit(head, tail []byte) {
	f.remember(head, tail)
	if err := f.screen.Lines(f.to, f.prefix, head, tail); err != nil {
		f.lost = err
	}
}

// remember keeps the last line that isn't blank.
func (f *lines) remember(head, tail []byte) {
	if f.to != screen.Stderr {
		return
	}
	line := bytes.TrimRight(tail, "\r\n")
	if i := bytes.LastIndexByte(line, '\n'); i >= 0 {
		line = line[i+1:]
		head = nil
	}
	if len(bytes.TrimSpace(line)) == 0 && len(bytes.TrimSpace(head)) == 0 {
		return
	}
	f.last = f.last[:0]
	for _, part := range [][]byte{head, line} {
		f.last = append(f.last, part[:min(len(part), maxMessage+1-len(f.last))]...)
	}
}
