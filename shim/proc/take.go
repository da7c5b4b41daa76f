//go:build !windows

package proc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// Sink takes what a command writes.
type Sink interface {
	io.Writer
	// Abort gives up what was written so far: a Write that hangs returns soon. It comes
	// from another goroutine, and perhaps while nothing is written.
	Abort()
}

// ErrUntaken is in the error of a stream that hadn't taken the end of what the command
// wrote when nth couldn't wait for it any longer.
var ErrUntaken = errors.New("the end of its stdout wasn't taken in time")

// deadGrace is how long a stream has for the last of what a command wrote that nth
// stopped, or a signal ended: it is no success, whatever becomes of that.
const deadGrace = time.Second

// take copies what a command and its descendants write to stdout into a sink. A nil take
// is a stdout that is a descriptor.
type take struct {
	to   Sink
	pipe streamEnds
	stream
}

// newTake is without its pipe yet; nil: there is no sink.
func newTake(to Sink) *take {
	if to == nil {
		return nil
	}
	return &take{to: to, stream: newStream()}
}

// or gives the command's end of the pipe, or the descriptor.
func (t *take) or(fd uintptr) uintptr {
	if t == nil {
		return fd
	}
	return t.pipe.w.Fd()
}

// started is called once the command has its end of the pipe.
func (t *take) started() {
	if t == nil {
		return
	}
	t.pipe.w.Close()
	go func() {
		defer close(t.done)
		t.copy()
	}()
}

// copy returns when nobody has the pipe's other end any more; or, after the sweep, when
// all is passed on that was in the pipe by then: what escaped may hold it open.
func (t *take) copy() {
	chunk := make([]byte, streamChunk)
	for {
		n, err := t.pipe.r.Read(chunk)
		t.pass(chunk[:n])
		if err == nil {
			continue
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			for rest := held(t.pipe.r); rest > 0; rest -= n {
				if n = readNow(t.pipe.r, chunk); n == 0 {
					return // somebody else has read it
				}
				t.pass(chunk[:n])
			}
		}
		return
	}
}

// readNow reads what is in a pipe's buffer, however late it is; 0: nothing is.
func readNow(r *os.File, p []byte) (n int) {
	if raw, err := r.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			for n, err = syscall.Read(int(fd), p); err == syscall.EINTR; n, err = syscall.Read(int(fd), p) {
			}
		})
	}
	return max(n, 0)
}

// pass writes a piece. When that has failed, the rest is read and thrown away: a command
// that is told to stop must not hang in its last words, nor die of them.
func (t *take) pass(p []byte) {
	if len(p) == 0 || t.isOver() {
		return
	}
	n, err := t.to.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		t.fail(err)
	}
}

// end is for when nothing is left of the command, or there never was one: the sink has this
// time for what is in the pipe. It gives why the sink hasn't got all.
func (t *take) end(limit time.Duration) error {
	if t == nil {
		return nil
	}
	_ = t.pipe.r.SetReadDeadline(time.Now())
	if !await(limit, t.done) {
		t.fail(fmt.Errorf("%w: %s", ErrUntaken, limit.Round(time.Millisecond)))
		go func() {
			t.to.Abort()
			close(t.closed)
		}()
		await(hung, t.done, t.closed)
	}
	t.pipe.close()
	return t.finish()
}

// discard is end for a command that never was.
func (t *take) discard() {
	if t != nil {
		close(t.done)
		_ = t.end(0)
	}
}

// held gives how many bytes are in a pipe.
func held(r *os.File) (n int) {
	raw, err := r.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { n, err = readable(int(fd)) })
	}
	if err != nil {
		return streamPipe // as much as there can be
	}
	return n
}
