package proc

import (
	"os"
	"sync/atomic"
	"time"
)

// What is in the pipe is read after the sweep, until nothing came for this long,
// or as much was read as a pipe holds (pipe(7)): a process that escaped and holds
// it open, or goes on writing, must not hold nth.
const (
	drain    = 100 * time.Millisecond
	capacity = 64 << 10
)

// tail passes the command's stderr on and keeps its end. A nil tail is fd 2 itself.
type tail struct {
	keep    int
	r, w    *os.File
	done    chan struct{}
	buf     []byte // the last bytes, at most twice keep
	dropped bool
	ending  atomic.Bool
}

// newTail makes a pipe if the end of stderr is wanted and stderr is no terminal.
func newTail(keep int) (*tail, error) {
	if keep <= 0 || isTerminal(2) {
		return nil, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	// A command that drops its privileges may open /dev/stderr again (moby#6880).
	_ = w.Chmod(0o666)
	return &tail{keep: keep, r: r, w: w, done: make(chan struct{})}, nil
}

func (t *tail) fd() uintptr {
	if t == nil {
		return 2
	}
	return t.w.Fd()
}

// started is called once the command has its end of the pipe.
func (t *tail) started() {
	if t == nil {
		return
	}
	t.w.Close()
	go func() {
		defer close(t.done)
		chunk := make([]byte, 32<<10)
		for rest := capacity; rest > 0; {
			n, err := t.r.Read(chunk)
			_, _ = os.Stderr.Write(chunk[:n]) // nobody may read it any more; the command goes on
			t.add(chunk[:n])
			if err != nil {
				return
			}
			if t.ending.Load() { // time spent in writing doesn't count
				rest -= n
				_ = t.r.SetReadDeadline(time.Now().Add(drain))
			}
		}
	}()
}

func (t *tail) add(p []byte) {
	t.buf = append(t.buf, p...)
	if len(t.buf) > 2*t.keep {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-t.keep:]...)
		t.dropped = true
	}
}

func (t *tail) finish(res *Result) {
	if t == nil {
		return
	}
	t.ending.Store(true)
	_ = t.r.SetReadDeadline(time.Now().Add(drain))
	<-t.done
	t.r.Close()
	res.Stderr, res.StderrTruncated = t.buf, t.dropped
	if n := len(t.buf); n > t.keep {
		res.Stderr, res.StderrTruncated = t.buf[n-t.keep:], true
	}
}
