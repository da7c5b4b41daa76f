package proc

import (
	"bytes"
	"sync"
	"syscall"
)

// drainer passes on the stderr of one command after the other, through one pipe, and
// keeps the end of each one's. A nil drainer is fd 2 itself.
type drainer struct {
	*output
	from int // the descriptor of its pipe, which doesn't block

	mu    sync.Mutex
	chunk [8 << 10]byte
}

func newDrainer(keep int) (*drainer, error) {
	o, err := newOutput(2, keep, nil)
	if o == nil || err != nil {
		return nil, err
	}
	d := &drainer{output: o}
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
			d.mu.Lock()
			defer d.mu.Unlock()
			d.pass()
			return false
		})
	}()
	return d, nil
}

func (d *drainer) fd() uintptr {
	if d == nil {
		return 2
	}
	return d.w.Fd()
}

// pass passes on what is there, but no more than a pipe holds: what escaped may write
// without end.
func (d *drainer) pass() {
	for rest := capacity; rest > 0; {
		n, err := syscall.Read(d.from, d.chunk[:])
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			return
		}
		rest -= n
		d.take(d.chunk[:n])
	}
}

// tell gives the end of what the command wrote, now that all of it has ended, and
// forgets it.
func (d *drainer) tell(res *Result) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pass()
	end, cut := d.tail()
	res.Stderr, res.StderrTruncated = bytes.Clone(end), cut
	d.buf, d.dropped = d.buf[:0], false
}

func (d *drainer) close() {
	if d == nil {
		return
	}
	d.w.Close()
	d.r.Close() // which waits for the goroutine
}
