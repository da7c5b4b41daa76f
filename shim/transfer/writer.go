package transfer

import (
	"context"
	"io"

	"nth/shim/failure"
	"nth/shim/store"
)

var errAborted error = failure.Text("it was given up")

// Writer writes a blob as it comes. It is for one goroutine, but for Abort.
type Writer struct {
	m      *Mover
	pipe   *io.PipeWriter
	cancel context.CancelCauseFunc
	sum    Sum
	done   chan struct{} // closed when the store is done with it
	err    error         // the store's; set before
}

// Writer begins a blob, whatever is there. Either Finish or Abort ends it; Abort after
// Finish does nothing.
func (m *Mover) Writer(ctx context.Context, s *store.Store, key string) *Writer {
	ctx, cancel := context.WithCancelCause(ctx)
	from, to := io.Pipe()
	w := &Writer{m: m, pipe: to, cancel: cancel, done: make(chan struct{})}
	context.AfterFunc(ctx, func() { from.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer close(w.done)
		one := m.policy() // what was taken from the pipe can't be taken again
		if one.PerCall <= 0 {
			one.PerCall = one.Window
		}
		one.Window = 0
		w.err = store.Retry(ctx, one, func(ctx context.Context) error { return m.stream(ctx, s, key, from, 0) }, nil)
		if w.err != nil {
			from.CloseWithError(w.err)
		}
	}()
	return w
}

// Write takes the next bytes, and waits while as many as may be are under way. After an
// error of the store's it gives that error.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.pipe.Write(p)
	w.sum.add(p[:n])
	w.m.moved(int64(n))
	return n, err
}

// Finish makes the blob visible: all that was written, or, with an error, nothing.
func (w *Writer) Finish() (Sum, error) {
	w.pipe.Close()
	<-w.done
	w.cancel(nil)
	if w.err != nil {
		return Sum{}, w.err
	}
	return w.sum, nil
}

// Abort leaves nothing.
func (w *Writer) Abort() {
	w.cancel(errAborted)
	<-w.done
}
