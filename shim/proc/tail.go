package proc

import (
	"os"
	"sync/atomic"
	"time"

	"nth/shim/failure"
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
	end
	r, w   *os.File
	done   chan struct{}
	ending atomic.Bool
}

// end is the end of what was written.
type end struct {
	keep    int
	buf     []byte // the last bytes, at most twice keep
	dropped bool
}

// newTail makes a pipe if the end of stderr is wanted and stderr is no terminal.
func newTail(keep int) (*tail, error) {
	if keep <= 0 || isTerminal(2) {
		return nil, nil
	}
	r, w, err := stderrPipe()
	if err != nil {
		return nil, err
	}
	return &tail{end: end{keep: keep}, r: r, w: w, done: make(chan struct{})}, nil
}

func stderrPipe() (r, w *os.File, err error) {
	if r, w, err = os.Pipe(); err != nil {
		return nil, nil, &failure.Failure{Code: failure.NotRunnable, Tried: "make a pipe for stderr", Cause: err, Hint: "--stderr-tail=0 needs none"}
	}
	// A command that drops its privileges may open /dev/stderr again (moby#6880).
	_ = w.Chmod(0o666)
	return r, w, nil
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

func (e *end) add(p []byte) {
	e.buf = append(e.buf, p...)
	if len(e.buf) > 2*e.keep {
		e.buf = append(e.buf[:0], e.buf[len(e.buf)-e.keep:]...)
		e.dropped = true
	}
}

func (e *end) tell(res *Result) {
	res.Stderr, res.StderrTruncated = e.buf, e.dropped
	if n := len(e.buf); n > e.keep {
		res.Stderr, res.StderrTruncated = e.buf[n-e.keep:], true
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
	t.tell(res)
}
