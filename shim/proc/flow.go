//go:build !windows

package proc

import (
	"os"
	"syscall"
)

// An output is read in small pieces, for most commands write little. When one has filled such
// a piece, the pipes before and behind nth get larger, where the kernel allows that: with the
// 64 KiB that they have by themselves, three processes wait for each other all the time, and
// that costs more than the bytes. From then on the kernel moves what is in the one to where
// it goes, and nothing of it is copied; where it can't, or a copy is wanted, larger pieces are
// read. No pipe gets as large as it may be: what all of a user's hold together is limited
// (pipe(7), pipe-user-pages-soft), and a node's 110 pods may have one user.
const (
	smallPiece = 8 << 10
	largePiece = 128 << 10
	widePipe   = 256 << 10
	leastMoved = 32 << 10 // what is less, is read and written as soon
)

// flow is how an output is passed on.
type flow struct {
	piece   []byte
	holds   int      // the pipe, in bytes
	wide    bool     // much has come
	own     *os.File // nth's own output,
	out     int      // its descriptor, 1 or 2,
	movable bool     // and the kernel may be able to move there what is in the pipe
}

func newFlow(fd int, own *os.File) flow {
	return flow{holds: capacity, own: own, out: fd, movable: true}
}

// moves tells whether the kernel moves what of this command comes.
func (o *output) moves() bool {
	f := &o.flow
	return f.wide && f.movable && o.to == f.own && o.copy == nil && f.holds >= o.keep+2*leastMoved
}

// step passes on some of what is in the pipe, and gives how much that was. EAGAIN: there is
// nothing; 0 and no error: nobody has its other end any more.
func (o *output) step(fd int) (int, error) {
	if n := o.move(fd); n > 0 {
		return n, nil
	}
	f := &o.flow
	if f.piece == nil {
		f.piece = make([]byte, smallPiece)
	}
	n, err := syscall.Read(fd, f.piece)
	for err == syscall.EINTR {
		n, err = syscall.Read(fd, f.piece)
	}
	if n <= 0 {
		return 0, err
	}
	o.take(f.piece[:n])
	if n == len(f.piece) && n < largePiece {
		o.grow(fd)
	}
	return n, nil
}

// grow is for an output of which much comes.
func (o *output) grow(fd int) {
	f := &o.flow
	if !f.wide {
		f.wide = true
		f.holds = max(widenTo(fd, widePipe), f.holds)
		f.movable = !hasOffset(f.out)
		if o.to == f.own {
			widenTo(f.out, widePipe)
		}
	}
	size := largePiece
	if o.moves() {
		size = leastMoved
	}
	if size > len(f.piece) {
		f.piece = make([]byte, size)
	}
}

// move has the kernel move most of what is in the pipe. The end stays, as much as is kept
// of it, so that what is read next is the output's end if nothing else comes. 0: there is
// too little, or it can't; reading and writing tells why.
func (o *output) move(fd int) int {
	f := &o.flow
	for o.moves() {
		n, err := readable(fd)
		if err != nil || n < o.keep+leastMoved {
			return 0
		}
		n, err = splice(fd, f.out, n-o.keep)
		switch {
		case n > 0:
			if o.keep > 0 {
				o.buf, o.dropped = o.buf[:0], true
			}
			return n
		case err == syscall.EAGAIN:
			awaitWritable(f.out) // a reader that is slow holds the command
		case err != syscall.EINTR:
			f.movable = false
		}
	}
	return 0
}

// hasOffset tells whether what a descriptor leads to is written at an offset. Those who share
// it advance that together in write(2), and not in splice(2), where one would overwrite what
// the other wrote.
func hasOffset(fd int) bool {
	var info syscall.Stat_t
	err := syscall.Fstat(fd, &info)
	return err != nil || info.Mode&syscall.S_IFMT == syscall.S_IFREG
}
