// Package screen is what a command that a person waits for shows meanwhile: lines on
// stdout and stderr, and a progress bar below them.
package screen

import (
	"bytes"
	"os"
	"sync"
	"time"
)

// Stream is where a line belongs.
type Stream int

// The two streams.
const (
	Stdout Stream = iota
	Stderr
)

// Screen is the one place that writes to stdout and stderr: whole lines only,
// and the bar below them.
type Screen struct {
	mu     sync.Mutex
	files  [2]*os.File
	onTerm [2]bool // the file is a terminal
	buf    []byte

	bar     []byte // as it was last drawn; empty: nothing to clear
	hasBar  bool
	barCols int // width of the drawn bar in columns

	broken chan struct{} // closed when stdout or stderr can't be written any more
	once   sync.Once
	err    error // why; set before broken is closed
}

// New gives a screen on two files, either of which may be nil. Progress is auto (a bar on
// a terminal), always or never.
func New(stdout, stderr *os.File, progress string) *Screen {
	s := &Screen{files: [2]*os.File{stdout, stderr}, broken: make(chan struct{})}
	for i, f := range s.files {
		_, s.onTerm[i] = columns(f)
	}
	switch progress {
	case "always":
		s.hasBar = true
	case "never":
	default:
		s.hasBar = s.onTerm[Stderr] && os.Getenv("TERM") != "dumb"
	}
	return s
}

// HasBar tells whether there is a bar to draw.
func (s *Screen) HasBar() bool { return s.hasBar }

// Broken is closed when stdout or stderr can't be written any more; then Err says why.
func (s *Screen) Broken() <-chan struct{} { return s.broken }

// Err is why something couldn't be written, and to which of the two. It is nil until Broken
// is closed.
func (s *Screen) Err() error {
	select {
	case <-s.broken:
		return s.err
	default:
		return nil
	}
}

// Color tells whether the bar may have colours.
func (s *Screen) Color() bool { return s.onTerm[Stderr] && Color() }

// Color tells whether a terminal may have colours: https://no-color.org.
func Color() bool { return os.Getenv("NO_COLOR") == "" }

// columns gives the width of a terminal now, and whether f is one.
func columns(f *os.File) (int, bool) {
	cols, _, terminal := Size(f)
	return cols, terminal
}

// Lines writes head+tail, complete lines, each after prefix. It blocks as long
// as the reader of the stream does. An error says that they couldn't be written whole.
func (s *Screen) Lines(to Stream, prefix, head, tail []byte) error {
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
	s.buf = b[:0]
	return s.write(to, b)
}

// Say writes one line of the command's own.
func (s *Screen) Say(prefix []byte, line string) {
	_ = s.Lines(Stderr, prefix, nil, append([]byte(Line(line)), '\n'))
}

// Draw replaces the bar, if the screen is free: while somebody waits for a slow
// reader there is nothing to see anyway. It must not be a line too wide.
func (s *Screen) Draw(bar func(width int) (text []byte, cols int)) {
	if !s.hasBar || !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	width, _ := columns(s.files[Stderr])
	text, cols := bar(width - 1) // the last column would wrap on some terminals
	if bytes.Equal(text, s.bar) {
		return
	}
	b := s.appendClear(s.buf[:0])
	_ = s.write(Stderr, append(b, text...))
	s.buf = b[:0]
	s.bar, s.barCols = append(s.bar[:0], text...), cols
}

// Clear takes the bar away for good.
func (s *Screen) Clear() {
	if !s.hasBar || !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	s.clear()
	s.hasBar = false
}

func (s *Screen) clear() {
	_ = s.write(Stderr, s.appendClear(nil))
	s.bar = s.bar[:0]
}

// Hide takes the bar away, and nothing is written until it may be shown again. Where somebody
// waits for a slow reader it is left.
func (s *Screen) Hide() (show func()) {
	for range hideTries {
		if s.mu.TryLock() {
			s.clear()
			return s.mu.Unlock
		}
		time.Sleep(time.Millisecond)
	}
	return func() {}
}

const hideTries = 100

// appendClear erases the bar, also when the terminal has become narrower since
// and the bar now takes several rows.
func (s *Screen) appendClear(b []byte) []byte {
	if len(s.bar) == 0 {
		return b
	}
	width, _ := columns(s.files[Stderr])
	rows := (s.barCols - 1) / max(1, width)
	if rows == 0 { // what erases all of the screen, tmux keeps in its history
		return append(b, "\r\x1b[K"...)
	}
	for range rows {
		b = append(b, "\x1b[A"...)
	}
	return append(b, "\r\x1b[J"...)
}

func (s *Screen) write(to Stream, b []byte) error {
	if len(b) == 0 || s.files[to] == nil {
		return nil
	}
	_, err := s.files[to].Write(b)
	if err != nil {
		s.once.Do(func() {
			s.err = err
			close(s.broken)
		})
	}
	return err
}
