//go:build !windows

package proc

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"nth/shim/failure"
)

// What is in a pipe is read after the sweep, until nothing came for this long, or as
// much was read as a pipe holds (pipe(7)): a process that escaped and holds it open,
// or goes on writing, must not hold nth.
const (
	drain    = 100 * time.Millisecond
	capacity = 64 << 10
)

// output passes one of the command's outputs on, keeps its end, and gives a copy of
// it away. A nil output is nth's own descriptor, handed over untouched.
type output struct {
	to   io.Writer
	keep int
	copy io.WriteCloser // may be nil
	flow flow
	streamEnds
	done    chan struct{}
	buf     []byte // the last bytes, at most twice keep
	dropped bool
	err     error // of passing on
	ending  atomic.Bool
}

// newOutput makes a pipe if anything of the output is wanted and it is no terminal,
// before which programs behave in another way. It goes to nth's own, unless to is given.
func newOutput(fd int, to io.Writer, keep int, copy io.WriteCloser) (*output, error) {
	if to == nil && (keep <= 0 && copy == nil || isTerminal(fd)) {
		return nil, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, &failure.Failure{Code: failure.NotRunnable, Tried: "make a pipe for the command's output", Cause: err,
			Hint: "without --logs and with --stderr-tail=0 none is needed"}
	}
	// A command that drops its privileges may open /dev/stderr again (moby#6880).
	_ = w.Chmod(0o666)
	o := &output{to: to, keep: keep, copy: copy, streamEnds: streamEnds{r, w}, done: make(chan struct{}), flow: newFlow(fd, own(fd))}
	if to == nil {
		o.to = own(fd)
	}
	return o, nil
}

// own is nth's own output.
func own(fd int) *os.File {
	if fd == 1 {
		return os.Stdout
	}
	return os.Stderr
}

func (o *output) isStdout() bool { return o.flow.out == 1 }

// or gives the command's end of the pipe, or the descriptor itself.
func (o *output) or(fd uintptr) uintptr {
	if o == nil {
		return fd
	}
	return o.w.Fd()
}

// started is called once the command has its end of the pipe.
func (o *output) started() {
	if o == nil {
		return
	}
	o.w.Close()
	go o.pass()
}

// pass passes on what comes until nobody has the pipe's other end any more; or, when the
// command has ended, what a pipe holds.
func (o *output) pass() {
	defer close(o.done)
	raw, err := o.r.SyscallConn()
	if err != nil {
		return
	}
	n, rest, late, ends := 0, capacity, false, false
	some := func(fd uintptr) bool {
		if late && !ends { // its command may have made it larger
			ends, rest = true, max(rest, widenTo(int(fd), 0))
		}
		n, err = o.step(int(fd))
		return err != syscall.EAGAIN
	}
	for rest > 0 {
		late = o.ending.Load() // what was read before leaves a full pipe behind
		if !late {
			rest = o.flow.holds
		}
		n = 0
		over := raw.Read(some)
		if errors.Is(over, os.ErrDeadlineExceeded) { // before nth got to read, perhaps: on a machine that is busy, or was paused
			over = raw.Control(func(fd uintptr) { some(fd) })
		}
		if o.err != nil && o.isStdout() {
			o.r.Close() // the command is told as it would be without nth: its next write fails
			return
		}
		if n <= 0 || over != nil {
			return
		}
		if late {
			rest -= n
		}
		if o.ending.Load() { // time spent in writing doesn't count
			_ = o.r.SetReadDeadline(time.Now().Add(drain))
		}
	}
}

// take passes a piece on. That nobody reads stderr any more is no reason to end a
// command: what it does there is told to the records all the same.
func (o *output) take(p []byte) {
	if _, err := o.to.Write(p); err != nil {
		o.err = err
	}
	if o.copy != nil {
		_, _ = o.copy.Write(p)
	}
	if o.keep <= 0 {
		return
	}
	o.buf = append(o.buf, p...)
	if len(o.buf) > 2*o.keep {
		o.buf = append(o.buf[:0], o.buf[len(o.buf)-o.keep:]...)
		o.dropped = true
	}
}

// end begins to end the reading, finish waits for it.
func (o *output) end() {
	if o != nil {
		o.ending.Store(true)
		_ = o.r.SetReadDeadline(time.Now().Add(drain))
	}
}

func (o *output) finish() {
	if o == nil {
		return
	}
	<-o.done
	o.r.Close()
	if o.copy != nil {
		_ = o.copy.Close()
	}
}

// unpassed gives why something couldn't be passed on, without the descriptor's name. That
// nobody reads any more is no such reason: what reads it has had enough.
func (o *output) unpassed() error {
	if o == nil || !o.isStdout() || errors.Is(o.err, syscall.EPIPE) {
		return nil
	}
	if e, ok := errors.AsType[*os.PathError](o.err); ok {
		return e.Err
	}
	return o.err
}

// tail gives the end of the output, and tells whether it began before that.
func (o *output) tail() (end []byte, cut bool) {
	if o == nil {
		return nil, false
	}
	if n := len(o.buf); n > o.keep {
		return o.buf[n-o.keep:], true
	}
	return o.buf, o.dropped
}

// outputs are those of one command.
type outputs struct{ stdout, stderr *output }

func newOutputs(cmd *Command) (o outputs, err error) {
	if cmd.Take == nil {
		if o.stdout, err = newOutput(1, cmd.Out, 0, cmd.Stdout); err != nil {
			return outputs{}, err
		}
	}
	o.stderr, err = newOutput(2, cmd.Err, cmd.StderrTail, cmd.Stderr)
	return o, err
}

func (o outputs) started() {
	o.stdout.started()
	o.stderr.started()
}

// finish reads what is left of both, and gives the end of stderr as tail does.
func (o outputs) finish() (end []byte, cut bool) {
	o.stdout.end()
	o.stderr.end()
	o.stdout.finish()
	o.stderr.finish()
	return o.stderr.tail()
}
