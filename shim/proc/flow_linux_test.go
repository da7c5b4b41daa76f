package proc

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// target is what an output is passed on to.
type target struct {
	to   *os.File
	read func() []byte // all of it, when the output has ended
}

func pipeTo(t *testing.T, slow bool) target {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Fd() // it blocks, as what nth is given mostly does
	return read(r, w, slow)
}

// read reads in the background, all of it at once or a little at a time.
func read(r, w *os.File, slow bool) target {
	got := make(chan []byte)
	go func() {
		defer r.Close()
		var all bytes.Buffer
		piece := make([]byte, 4096+rand.IntN(60_000))
		for i := 0; ; i++ {
			n, err := r.Read(piece)
			all.Write(piece[:n])
			if err != nil {
				got <- all.Bytes()
				return
			}
			if slow && i%8 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	return target{w, func() []byte { w.Close(); return <-got }}
}

func fileTo(t *testing.T, flags int) target {
	t.Helper()
	f, err := os.OpenFile(t.TempDir()+"/out", os.O_RDWR|os.O_CREATE|flags, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	return target{f, func() []byte {
		defer f.Close()
		body, err := os.ReadFile(f.Name())
		if err != nil {
			t.Error(err)
		}
		return body
	}}
}

func deviceTo(t *testing.T, path string) target {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return target{f, func() []byte { f.Close(); return nil }}
}

// passing is an output that is passed on to a target, and the end of it that the command has.
func passing(t *testing.T, to *os.File, keep int, copy io.WriteCloser) (*output, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fd := -1
	if raw, err := to.SyscallConn(); err != nil || raw.Control(func(n uintptr) { fd = int(n) }) != nil {
		t.Fatal("no descriptor")
	}
	return &output{to: to, keep: keep, copy: copy, streamEnds: streamEnds{r, w}, done: make(chan struct{}), flow: newFlow(fd, to)}, w
}

// kept is a copy of an output.
type kept struct{ bytes.Buffer }

func (*kept) Close() error { return nil }

// TestPassing: each byte comes once and in order, and the end is kept, in pieces of whatever
// sizes they are written, to whatever they go, and however slowly that takes them.
func TestPassing(t *testing.T) {
	// Signals interrupt calls that wait.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR2)
	defer signal.Stop(caught)
	over := make(chan struct{})
	defer close(over)
	go func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Millisecond):
				_ = syscall.Kill(os.Getpid(), syscall.SIGUSR2)
			}
		}
	}()
	nonblocking := func(t *testing.T) target {
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		return read(os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w"), true)
	}
	socket := func(t *testing.T) target {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return read(os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w"), true)
	}
	const moved, isCopied = true, false
	for _, tt := range []struct {
		name   string
		to     func(*testing.T) target
		keep   int
		copied bool
		moved  bool // by the kernel
	}{
		{"a pipe", func(t *testing.T) target { return pipeTo(t, false) }, 4096, false, moved},
		{"a pipe that is read slowly", func(t *testing.T) target { return pipeTo(t, true) }, 4096, false, moved},
		{"a pipe that doesn't block", nonblocking, 100, false, moved},
		{"nothing is kept", func(t *testing.T) target { return pipeTo(t, true) }, 0, false, moved},
		{"much is kept", func(t *testing.T) target { return pipeTo(t, true) }, 400_000, false, isCopied},
		{"a copy", func(t *testing.T) target { return pipeTo(t, true) }, 4096, true, isCopied},
		{"a socket", socket, 4096, false, moved},
		{"a file", func(t *testing.T) target { return fileTo(t, 0) }, 4096, false, isCopied},
		{"a file that is appended to", func(t *testing.T) target { return fileTo(t, os.O_APPEND) }, 4096, false, isCopied},
		{"/dev/null", func(t *testing.T) target { return deviceTo(t, os.DevNull) }, 4096, false, moved},
		{"/dev/full", func(t *testing.T) target { return deviceTo(t, "/dev/full") }, 4096, false, isCopied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			to := tt.to(t)
			var copy *kept
			var also io.WriteCloser
			if tt.copied {
				copy = &kept{}
				also = copy
			}
			o, w := passing(t, to.to, tt.keep, also)
			go o.pass()
			want := written(t, w)
			w.Close()
			o.finish()
			if got := to.read(); got != nil && !bytes.Equal(got, want) {
				t.Errorf("%d bytes of %d, the same up to %d", len(got), len(want), same(got, want))
			}
			if copy != nil && !bytes.Equal(copy.Bytes(), want) {
				t.Errorf("copied: %d bytes of %d, the same up to %d", copy.Len(), len(want), same(copy.Bytes(), want))
			}
			if end, cut := o.tail(); !bytes.Equal(end, want[len(want)-tt.keep:]) || tt.keep > 0 && !cut {
				t.Errorf("kept: %d bytes of %d, cut: %v", len(end), tt.keep, cut)
			}
			if o.moves() != tt.moved {
				t.Errorf("%+v, want moved by the kernel: %v", o.flow, tt.moved)
			}
			if full := tt.name == "/dev/full"; full != errors.Is(o.err, syscall.ENOSPC) {
				t.Errorf("told: %v", o.err)
			}
		})
	}
}

// written writes some megabytes to w, in pieces of all sizes.
func written(t *testing.T, w io.Writer) []byte {
	t.Helper()
	all := make([]byte, 2<<20)
	for i := range all {
		all[i] = byte(rand.Uint32())
	}
	for rest := all; len(rest) > 0; {
		n := min(1+rand.IntN(1<<rand.IntN(20)), len(rest))
		if _, err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	return all
}

// same gives how many bytes are the same from the beginning.
func same(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// TestPassingToNobody: when who read stderr has ended, the command goes on, and its end is
// kept all the same.
func TestPassingToNobody(t *testing.T) {
	r, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = to.Fd()
	o, w := passing(t, to, 4096, nil)
	go o.pass()
	go func() {
		_, _ = io.CopyN(io.Discard, r, 1<<20)
		r.Close()
	}()
	want := written(t, w)
	w.Close()
	o.finish()
	if end, cut := o.tail(); !bytes.Equal(end, want[len(want)-4096:]) || !cut || !errors.Is(o.err, syscall.EPIPE) {
		t.Errorf("kept: %d bytes, cut: %v, told: %v", len(end), cut, o.err)
	}
}

// TestLeftInPipe: what a command's pipe holds at its end is passed on, though another process
// has it open still; and one that goes on writing doesn't hold nth.
func TestLeftInPipe(t *testing.T) {
	to := pipeTo(t, true)
	o, w := passing(t, to.to, 4096, nil)
	go o.pass()
	want := written(t, w)
	o.end()
	o.finish()
	w.Close()
	if got := to.read(); !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, the same up to %d", len(got), len(want), same(got, want))
	}

	o, w = passing(t, deviceTo(t, os.DevNull).to, 4096, nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for line := make([]byte, 50_000); ; {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	}()
	go o.pass()
	o.end()
	o.finish()
	<-ended // nobody reads it any more
}
