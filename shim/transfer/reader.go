package transfer

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"nth/shim/store"
)

// Reader gives one version of a blob in order, and reads ahead. It ends with io.EOF only
// when all of the blob's bytes were given, and they have the checksum that the store knows;
// else with an error, of the kind Exists when it is another version by now. Nothing of it
// is left after Close, which may be called while somebody reads. What it holds is AtOnce
// times a quarter of PartSize.
func (m *Mover) Reader(ctx context.Context, s *store.Store, e store.Entry) io.ReadCloser {
	ctx, cancel := context.WithCancelCause(ctx)
	r := &reader{m: m, s: s, e: &e, ctx: ctx, cancel: cancel,
		queue: make(chan *piece, m.atOnce()), free: make(chan []byte, m.atOnce())}
	for range m.atOnce() {
		r.free <- nil
	}
	r.group.Go(r.ahead)
	return r
}

type reader struct {
	m      *Mover
	s      *store.Store
	e      *store.Entry
	ctx    context.Context
	cancel context.CancelCauseFunc
	group  sync.WaitGroup
	queue  chan *piece // in order; closed behind the last one
	free   chan []byte // what pieces are read into: it bounds the memory

	now *piece // the one that is given
	sum Sum    // of what was given
	err error  // what every further Read gives
}

// most is how much is read with one call, in bytes.
const most = 32 << 10

// piece is a part of the blob as it comes.
type piece struct {
	buf    []byte
	filled atomic.Int64
	given  int64
	news   chan struct{} // something came
	done   chan struct{} // closed when all came, or nothing more will
	err    error         // why; set before
}

// ahead begins the pieces one after the other, as far as there is room.
func (r *reader) ahead() {
	defer close(r.queue)
	// Smaller ones than a download's: the collector lets as much garbage be as there is
	// memory in use, and a driver may make some of it with each piece.
	size := max(r.m.partSize()/4, 1)
	for at := int64(0); r.e.Size < 0 || at < r.e.Size; at += size {
		var buf []byte
		select {
		case buf = <-r.free:
		case <-r.ctx.Done():
			return
		}
		p := &piece{buf: buf, news: make(chan struct{}, 1), done: make(chan struct{})}
		r.queue <- p // there are as many places as buffers
		f := r.fetch(p, at, at+size)
		if !known(r.e) {
			r.bring(p, f) // the first: all others must be of its version
		} else {
			r.group.Go(func() { r.bring(p, f) })
		}
		if r.e.Size < 0 {
			return // it failed
		}
	}
}

func (r *reader) fetch(p *piece, at, end int64) *fetch {
	f := &fetch{m: r.m, s: r.s, e: r.e, at: at, end: end, least: 1}
	if r.e.Size >= 0 {
		f.end = min(end, r.e.Size)
	}
	f.room = func() []byte {
		if size := f.end - at; int64(cap(p.buf)) < size {
			p.buf = make([]byte, size)
		}
		return p.buf[f.at-at : min(f.at-at+most, int64(cap(p.buf)))]
	}
	f.took = func(b []byte, from int64) error {
		p.filled.Store(from - at + int64(len(b)))
		select {
		case p.news <- struct{}{}:
		default:
		}
		return nil
	}
	return f
}

func (r *reader) bring(p *piece, f *fetch) {
	p.err = f.run(r.ctx)
	close(p.done)
}

// Read gives what comes next.
func (r *reader) Read(b []byte) (int, error) {
	for r.err == nil && len(b) > 0 {
		if r.now == nil {
			r.next()
			continue
		}
		if n := r.now.filled.Load() - r.now.given; n > 0 {
			n = int64(copy(b, r.now.buf[r.now.given:r.now.given+n]))
			r.now.given += n
			r.sum.add(b[:n])
			return int(n), nil
		}
		r.wait()
	}
	return 0, r.err
}

// next takes the next piece, or finds that there is none.
func (r *reader) next() {
	var more bool
	select {
	case r.now, more = <-r.queue:
	case <-r.ctx.Done():
	}
	switch {
	case more:
	case r.ctx.Err() != nil:
		r.err = context.Cause(r.ctx)
	case r.sum.Size != r.e.Size:
		r.err = io.ErrUnexpectedEOF
	default:
		if r.err = verify(r.e, r.sum.CRC32C); r.err == nil {
			r.err = io.EOF
		}
	}
}

// wait waits for more of the piece, or ends it.
func (r *reader) wait() {
	p := r.now
	select {
	case <-p.news:
	case <-r.ctx.Done():
		r.err = context.Cause(r.ctx)
	case <-p.done:
		switch {
		case p.filled.Load() > p.given: // it came with the end
		case p.err != nil:
			r.err = p.err
			r.cancel(p.err)
		default:
			r.now = nil
			r.free <- p.buf
		}
	}
}

// Close ends the reading.
func (r *reader) Close() error {
	r.cancel(os.ErrClosed)
	r.group.Wait()
	return nil
}
