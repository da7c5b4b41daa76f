//go:build !windows

package proc

import (
	"bytes"
	"io"
	"sync"
)

// drainer passes on an output of one command after the other, through one pipe, and
// keeps the end of each one's. A nil drainer is nth's own descriptor.
type drainer struct {
	*output
	from int // the descriptor of its pipe, which doesn't block; negative: it is closed

	mu        sync.Mutex
	elsewhere bool // it goes to who gave a writer for it
}

func newDrainer(fd int, to io.Writer, keep int, copy io.WriteCloser) (*drainer, error) {
	o, err := newOutput(fd, to, keep, copy)
	if o == nil || err != nil {
		return nil, err
	}
	d := &drainer{output: o, elsewhere: to != nil}
	raw, err := d.r.SyscallConn()
	if err != nil {
		return nil, err
	}
	if err := raw.Control(func(fd uintptr) { d.from = int(fd) }); err != nil {
		return nil, err
	}
	// A command that writes more than a pipe holds must not wait for its own end. What
	// writes nothing costs nothing: the goroutine sleeps until something comes.
	go func() {
		_ = raw.Read(func(uintptr) bool {
			for rest := largest; rest > 0 && d.passSome(); rest -= capacity { // nobody tells again of what is there
			}
			return false
		})
	}()
	return d, nil
}

// again is for the next command, whose output may go elsewhere.
func (d *drainer) again(fd int, to io.Writer, keep int, copy io.WriteCloser) (*drainer, error) {
	if d == nil || d.from < 0 {
		return newDrainer(fd, to, keep, copy)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.elsewhere = to != nil; to == nil {
		to = own(fd)
	}
	d.to, d.keep, d.copy, d.err = to, keep, copy, nil
	return d, nil
}

// leave is for when all of a command's output was passed on: what still comes, of what can't be
// ended, isn't the next command's.
func (d *drainer) leave() {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.copy != nil {
		_ = d.copy.Close()
		d.copy = nil
	}
	if d.elsewhere {
		d.to = io.Discard
	}
}

func (d *drainer) or(fd uintptr) uintptr {
	if d == nil {
		return fd
	}
	return d.w.Fd()
}

// largest is how much a pipe holds that its command has made larger (F_SETPIPE_SZ, without
// privileges).
const largest = 1 << 20

func (d *drainer) passSome() (more bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pass(capacity)
}

// pass passes on what is there, but no more than this, as much as a pipe holds: what escaped may
// write without end. It tells whether there may be more.
func (d *drainer) pass(rest int) (more bool) {
	for rest > 0 {
		n, _ := d.step(d.from)
		if n <= 0 {
			return false
		}
		rest -= n
		if d.err != nil && d.isStdout() {
			d.from = -1
			go d.r.Close() // it waits for who reads; the commands' next write fails, as without nth
			return false
		}
	}
	return true
}

// flush passes on what a command wrote, now that all of it has ended, and gives why
// something of it couldn't be. Then the drainer is of no more use.
func (d *drainer) flush() error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pass(largest)
	return d.unpassed()
}

// tell gives the end of what the command wrote, now that all of it has ended, and
// forgets it.
func (d *drainer) tell(res *Result) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pass(largest)
	end, cut := d.tail()
	res.Stderr, res.StderrTruncated = bytes.Clone(end), cut
	d.buf, d.dropped = d.buf[:0], false
}

func (d *drainer) close() {
	if d == nil {
		return
	}
	d.flush() // of what escaped
	d.w.Close()
	d.r.Close() // which waits for the goroutine
	if d.copy != nil {
		_ = d.copy.Close()
	}
}
