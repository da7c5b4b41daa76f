//go:build !windows

package proc

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// What is copied at a time between a command and a stream, and what the pipe holds where
// the kernel allows that: with the 64 KiB that it has by itself both sides wait for each
// other all the time.
const (
	streamChunk = 256 << 10
	streamPipe  = 1 << 20
)

// hung is how long nth waits, when nothing is left of a command, for a stream that was
// given up. It should return at once; what hangs all the same is left to itself.
const hung = 5 * time.Second

// feed copies what a reader gives into a command's stdin. The command sees the end of the
// file only if the reader has come to its own: for whatever else ends the copying, the
// pipe stays open until nothing of the command is left, since a program can't tell half a
// file from a whole one. A nil feed is a stdin that is a descriptor.
type feed struct {
	from io.ReadCloser
	pipe streamEnds
	stream
}

// stream is the copying of one.
type stream struct {
	done   chan struct{} // it has ended
	failed chan struct{} // it has failed, and the command is to be stopped
	closed chan struct{} // who is on its other side has been told that it is over
	once   sync.Once     // of telling so

	mu   sync.Mutex
	over bool // what becomes of it is of no matter any more
	err  error
}

func newStream() stream {
	return stream{done: make(chan struct{}), failed: make(chan struct{}), closed: make(chan struct{})}
}

// fail says why it has, unless it is over.
func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over, s.err = true, err
		close(s.failed)
	}
}

// finish ends it, and gives why it has failed.
func (s *stream) finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	return s.err
}

func (s *stream) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// streamEnds are the two of a stream's pipe.
type streamEnds struct{ r, w *os.File }

func newStreamPipe() (p streamEnds, err error) {
	if p.r, p.w, err = os.Pipe(); err != nil {
		return p, notRunnable("a pipe", err, "raise the limit of open files (ulimit -n)")
	}
	widen(p.w, streamPipe)
	// A command that drops its privileges may open /dev/stdin or /dev/stdout again (moby#6880).
	_ = p.w.Chmod(0o666)
	return p, nil
}

func (p streamEnds) close() {
	p.r.Close()
	p.w.Close()
}

// newFeed is without its pipe yet; nil: there is no reader.
func newFeed(from io.ReadCloser) *feed {
	if from == nil {
		return nil
	}
	return &feed{from: from, stream: newStream()}
}

// or gives the command's end of the pipe, or the descriptor.
func (f *feed) or(fd uintptr) uintptr {
	if f == nil {
		return fd
	}
	return f.pipe.r.Fd()
}

// started is called once the command has its end of the pipe.
func (f *feed) started() {
	if f == nil {
		return
	}
	f.pipe.r.Close()
	go f.run()
	go f.heed()
}

func (f *feed) run() {
	defer close(f.done)
	switch err := f.copy(); {
	case err == io.EOF: // the reader's very own: one that is wrapped tells of a connection
		f.pipe.w.Close()
	case !isUnread(f.pipe.w): // who has had enough doesn't miss what is lost
		f.fail(err)
	}
	f.giveBack()
}

// copy gives why it has ended, io.EOF for all of it.
func (f *feed) copy() error {
	chunk := make([]byte, streamChunk)
	for {
		n, err := f.from.Read(chunk)
		if n > 0 {
			if _, err := f.pipe.w.Write(chunk[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// heed ends the reading as soon as nobody has the pipe's other end any more: a reader that
// waits for its store would notice only with its next piece.
func (f *feed) heed() {
	raw, err := f.pipe.w.SyscallConn()
	if err != nil {
		return
	}
	// The end of the last reader is an event of the pipe that nothing else is waited with
	// (pipe(7), poll(2): POLLERR); the closing of this end is an error.
	if err := raw.Read(isUnreadFile); err == nil {
		_ = f.finish()
		f.giveBack()
	}
}

// giveBack closes the reader: nothing of it is wanted any more.
func (f *feed) giveBack() {
	f.once.Do(func() {
		_ = f.from.Close()
		close(f.closed)
	})
}

// end is for when nothing is left of the command, or there never was one. It gives why the
// command couldn't have all that it wanted to read.
func (f *feed) end() error {
	if f == nil {
		return nil
	}
	err := f.finish()
	go f.giveBack()
	f.pipe.close()
	await(hung, f.closed, f.done)
	return err
}

// discard is end for a command that never was.
func (f *feed) discard() {
	if f != nil {
		close(f.done)
		_ = f.end()
	}
}

// await returns when all are closed, or after this time. False: then they aren't.
func await(limit time.Duration, all ...<-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for _, c := range all {
		select {
		case <-c:
		case <-timer.C:
			return false
		}
	}
	return true
}

// isUnread tells whether nobody has the other end of a pipe any more.
func isUnread(w *os.File) (is bool) {
	raw, err := w.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { is = isUnreadFile(fd) })
	}
	return is || err != nil
}

func isUnreadFile(fd uintptr) bool {
	list := []unix.PollFd{{Fd: int32(fd)}}
	for {
		if _, err := unix.Poll(list, 0); !errors.Is(err, unix.EINTR) {
			return list[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
		}
	}
}
