package local

import (
	"bytes"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// stream is where a line of a child belongs.
type stream int

const (
	toStdout stream = iota
	toStderr
)

// screen is the one place that writes to stdout and stderr: whole lines only,
// and the bar below them.
type screen struct {
	mu     sync.Mutex
	files  [2]*os.File
	onTerm [2]bool // the file is a terminal
	buf    []byte

	bar     []byte // as it was last drawn; empty: nothing to clear
	hasBar  bool
	barCols int // width of the drawn bar in columns

	broken chan struct{} // closed when stdout or stderr can't be written any more
	once   sync.Once
}

func newScreen(stdout, stderr *os.File, progress string) *screen {
	s := &screen{files: [2]*os.File{stdout, stderr}, broken: make(chan struct{})}
	for i, f := range s.files {
		_, s.onTerm[i] = columns(f)
	}
	switch progress {
	case "always":
		s.hasBar = true
	case "never":
	default:
		s.hasBar = s.onTerm[toStderr] && os.Getenv("TERM") != "dumb"
	}
	return s
}

// columns gives the width of a terminal now, and whether f is one.
func columns(f *os.File) (int, bool) {
	if f == nil {
		return 80, false
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 80, false
	}
	if size.Col == 0 {
		return 80, true // a terminal that doesn't know its size
	}
	return int(size.Col), true
}

// lines writes head+tail, complete lines, each after prefix. It blocks as long
// as the reader of the stream does.
func (s *screen) lines(to stream, prefix, head, tail []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buf[:0]
	// Clearing, lines and bar are one write, so that nothing flickers. A stdout
	// that isn't the terminal gets only the lines and leaves the bar alone.
	around := len(s.bar) > 0 && s.onTerm[to]
	if around {
		b = s.appendClear(b)
	}
	for first := true; len(tail) > 0; first = false {
		end := bytes.IndexByte(tail, '\n') + 1
		b = append(b, prefix...)
		if first {
			b = append(b, head...)
		}
		b = append(b, tail[:end]...)
		tail = tail[end:]
	}
	if around {
		b = append(b, s.bar...)
	}
	s.write(to, b)
	s.buf = b[:0]
}

// say writes one line of nth local's own.
func (s *screen) say(prefix []byte, line string) {
	s.lines(toStderr, prefix, nil, append([]byte(line), '\n'))
}

// draw replaces the bar, if the screen is free: while somebody waits for a slow
// reader there is nothing to see anyway. It must not be a line too wide.
func (s *screen) draw(bar func(width int) (text []byte, cols int)) {
	if !s.hasBar || !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	width, _ := columns(s.files[toStderr])
	text, cols := bar(width - 1) // the last column would wrap on some terminals
	if bytes.Equal(text, s.bar) {
		return
	}
	b := s.appendClear(s.buf[:0])
	s.write(toStderr, append(b, text...))
	s.buf = b[:0]
	s.bar, s.barCols = append(s.bar[:0], text...), cols
}

// clear takes the bar away for good.
func (s *screen) clear() {
	if !s.hasBar || !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	if len(s.bar) > 0 {
		s.write(toStderr, s.appendClear(nil))
	}
	s.bar, s.hasBar = nil, false
}

// appendClear erases the bar, also when the terminal has become narrower since
// and the bar now takes several rows.
func (s *screen) appendClear(b []byte) []byte {
	if len(s.bar) == 0 {
		return b
	}
	width, _ := columns(s.files[toStderr])
	for rows := (s.barCols - 1) / max(1, width); rows > 0; rows-- {
		b = append(b, "\x1b[A"...)
	}
	return append(b, "\r\x1b[J"...)
}

func (s *screen) write(to stream, b []byte) {
	if len(b) == 0 || s.files[to] == nil {
		return
	}
	if _, err := s.files[to].Write(b); err != nil {
		s.once.Do(func() { close(s.broken) })
	}
}
