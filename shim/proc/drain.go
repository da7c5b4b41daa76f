package proc

import (
	"bytes"
	"os"
	"sync"
	"syscall"
)

// drainer passes on the stderr of one command after the other, through one pipe, and
// keeps the end of each one's. A nil drainer is fd 2 itself.
type drainer struct {
	r, w *os.File
	read int // the descriptor of r, which doesn't block

	mu    sync.Mutex
	last  end
	chunk [8 << 10]byte
}

func newDrainer(keep int) (*drainer, error) {
	if keep <= 0 || isTerminal(2) {
		return nil, nil
	}
	d := &drainer{last: end{keep: keep}}
	var err error
	if d.r, d.w, err = stderrPipe(); err != nil {
		return nil, err
	}
	raw, err := d.r.SyscallConn()
	if err != nil {
		return nil, err
	}
	if err := raw.Control(func(fd uintptr) { d.read = int(fd) }); err != nil {
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
		n, err := syscall.Read(d.read, d.chunk[:])
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			return
		}
		rest -= n
		_, _ = os.Stderr.Write(d.chunk[:n]) // nobody may read it any more; the commands go on
		d.last.add(d.chunk[:n])
	}
}

// take gives the end of what the command wrote, now that all of it has ended.
func (d *drainer) take(res *Result) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pass()
	if len(d.last.buf) == 0 {
		return
	}
	d.last.tell(res)
	res.Stderr = bytes.Clone(res.Stderr)
	d.last.buf, d.last.dropped = d.last.buf[:0], false
}

func (d *drainer) close() {
	if d == nil {
		return
	}
	d.w.Close()
	d.r.Close() // which waits for the goroutine
}
