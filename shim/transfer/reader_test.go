package transfer

import (
	"context"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nth/shim/store"
)

// TestReaderClosed: whenever it is closed, also while somebody reads, nothing of it is left.
func TestReaderClosed(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			s := open(t, p.url(t))
			must(t, s.Put(t.Context(), "x", text(1, 4<<20)))
			m := &Mover{AtOnce: 4, PartSize: 512 << 10, Policy: patient}
			for _, n := range []int64{0, 1, 1 << 20, 4 << 20} {
				r := m.Reader(t.Context(), s, listed(t, s, "x"))
				_, err := io.CopyN(io.Discard, r, n)
				must(t, err)
				must(t, r.Close())
				if n < 4<<20 {
					if _, err := io.Copy(io.Discard, r); err == nil {
						t.Errorf("closed after %d bytes it came to its end", n)
					}
				}
				noGoroutine(t)
			}
			r := m.Reader(t.Context(), s, listed(t, s, "x"))
			read := make(chan error)
			go func() {
				_, err := io.Copy(slow{}, r)
				read <- err
			}()
			must(t, r.Close())
			<-read // it ends, with an error or, if it was the faster one, without
			noGoroutine(t)
		})
	}
}

type slow struct{}

func (slow) Write(p []byte) (int, error) { time.Sleep(time.Millisecond); return len(p), nil }

// noGoroutine finds none of this package's but the test's own. What has told that it is done
// may still have to return.
func noGoroutine(t *testing.T) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		all := string(buf[:runtime.Stack(buf, true)])
		left := ""
		for _, one := range strings.Split(all, "\n\n")[1:] {
			if strings.Contains(one, "shim/transfer.(*reader)") || strings.Contains(one, "shim/transfer.(*fetch)") {
				left = one
			}
		}
		if left == "" {
			return
		}
		if time.Since(begin) > 5*time.Minute {
			t.Fatalf("left over:\n%s", left)
		}
	}
}

// TestReadAhead: who reads slowly holds no more than there is room for.
func TestReadAhead(t *testing.T) {
	s := open(t, places[0].url(t))
	must(t, s.Put(t.Context(), "x", text(2, 8<<20)))
	var moved atomic.Int64
	m := &Mover{AtOnce: 3, PartSize: 512 << 10, Policy: patient, Moved: func(n int64) { moved.Add(n) }}
	r := m.Reader(t.Context(), s, listed(t, s, "x"))
	defer r.Close()
	read := int64(0)
	for {
		n, err := io.CopyN(io.Discard, r, 100<<10)
		if read += n; err == io.EOF {
			break
		}
		must(t, err)
		if ahead := moved.Load() - read; ahead > 3*128<<10 {
			t.Fatalf("%d bytes are held", ahead)
		}
		time.Sleep(2 * time.Millisecond) // for it to read ahead
	}
	if read != 8<<20 {
		t.Errorf("%d bytes", read)
	}
}

// TestReaderEnds: whatever happens, io.EOF is the end of all bytes.
func TestReaderEnds(t *testing.T) {
	s := open(t, places[0].url(t))
	must(t, s.Put(t.Context(), "x", text(3, 1<<20)))
	e := listed(t, s, "x")
	for _, size := range []int64{1<<20 - 1, 1<<20 + 1, 3 << 20} {
		e := e
		e.Size = size
		r := (&Mover{PartSize: 100 << 10, Policy: once}).Reader(t.Context(), s, e)
		if n, err := io.Copy(io.Discard, r); err == nil {
			t.Errorf("of %d bytes %d came, and no error", size, n)
		}
		must(t, r.Close())
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := (&Mover{PartSize: 100 << 10, Policy: once}).Reader(ctx, s, store.Entry{Key: "x", Size: 1 << 20})
	_, err := io.CopyN(io.Discard, r, 1)
	must(t, err)
	cancel()
	if n, err := io.Copy(io.Discard, r); err == nil && n < 1<<20-1 {
		t.Errorf("stopped after %d bytes it came to its end", n)
	}
	must(t, r.Close())
}
