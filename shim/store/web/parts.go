package web

import (
	"bytes"
	"context"
	"hash/crc32"
	"io"
	"sync"

	"nth/shim/store/contract"
)

// PartSize is how much of a large blob is held in memory and sent at once, in bytes:
// a multiple of the 256 KiB that Google wants, and more than the 5 MiB of S3.
const PartSize = 8 << 20

// Upload is one blob's way to a store. Each method but Abort makes one request, and may be
// called again when that failed; after it has failed for good, none but Abort is called.
type Upload interface {
	Whole(ctx context.Context, body []byte) error // makes a blob of one part visible
	Begin(ctx context.Context) error              // of several
	// Part sends the n-th, from 0. All but the last have the same size, or a multiple of it.
	Part(ctx context.Context, n int, body []byte, last bool) error
	End(ctx context.Context, parts int) error // makes them visible
	Abort(ctx context.Context)                // takes back what was begun, as well as it can
}

// Parts is a writer of a blob that is sent whole if it fits into one part, and else
// in parts as they come, several at once if its caller wants that.
type Parts struct {
	To  Upload
	How contract.Parts
	// Double is after how many parts their size doubles, where a blob may have only so
	// many; 0: never. There are half as many at once then, so that memory is bounded.
	Double int
	// Least is the least size of a part that isn't the last; Unit is what its size is a
	// multiple of. 0: any.
	Least, Unit int
	// InTurn says that a part can only be sent when the one before it was.
	InTurn bool

	ctx  context.Context
	end  context.CancelCauseFunc
	buf  []byte
	crc  uint32 // of what was handed to the senders
	sent int    // parts that were handed to them
	err  error  // the first of the writer's own; nothing is published then

	work    chan part
	free    chan []byte // those that nobody uses; nil: not made yet
	buffers int         // all that there are
	senders sync.WaitGroup
}

type part struct {
	n    int
	body []byte
	last bool
}

// Start begins the writing.
func (p *Parts) Start(ctx context.Context) { p.ctx, p.end = context.WithCancelCause(ctx) }

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Sum is the checksum of a body.
func Sum(body []byte) uint32 { return crc32.Checksum(body, castagnoli()) }

// Sum gives the checksum of all that was handed out to be sent so far.
func (p *Parts) Sum() uint32 { return p.crc }

// size is that of the next part.
func (p *Parts) size() int { return p.sizeOf(p.sent) }

// sizeOf is that of the n-th part, from 0.
func (p *Parts) sizeOf(n int) int {
	size := p.How.Size
	if size <= 0 {
		size = PartSize
	}
	size = max(size, p.Least)
	if p.Unit > 0 {
		size = (size + p.Unit - 1) / p.Unit * p.Unit
	}
	if p.Double > 0 {
		size <<= n / p.Double
	}
	return size
}

// Write takes a piece of the blob.
func (p *Parts) Write(b []byte) (int, error) {
	for done := 0; ; {
		if p.failed() != nil {
			return done, p.err
		}
		if done == len(b) {
			return done, nil
		}
		if len(p.buf) == p.size() {
			p.err = p.hand(false)
			continue
		}
		n := copy(p.room(), b[done:])
		p.buf = p.buf[:len(p.buf)+n]
		done += n
	}
}

// Upload takes all of r, without a copy of its own. It is here also because the portable
// layer, which would call Write itself, calls Close also after r failed, and Close would
// publish what came.
func (p *Parts) Upload(r io.Reader) error {
	if whole, ok := r.(*bytes.Reader); ok && len(p.buf) == 0 && whole.Len() <= p.size() {
		// What is in memory already isn't copied.
		_, err := whole.WriteTo(writerFunc(func(b []byte) { p.buf = b[:len(b):len(b)] }))
		return err
	}
	for p.failed() == nil {
		var one [1]byte // a full part is the last one unless another byte comes
		room := one[:]
		if full := len(p.buf) == p.size(); !full {
			room = p.room()
		}
		n, err := r.Read(room)
		if &room[0] != &one[0] {
			p.buf = p.buf[:len(p.buf)+n]
		} else if n > 0 {
			_, _ = p.Write(one[:]) // failed tells
		}
		if err == io.EOF {
			return nil
		}
		if err != nil && p.failed() == nil {
			p.err = err
		}
	}
	return p.err
}

type writerFunc func(b []byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

// failed gives the first error, of the writer or of a sender.
func (p *Parts) failed() error {
	if p.err == nil {
		p.err = context.Cause(p.ctx)
	}
	return p.err
}

// firstRoom is what the first part begins with, in bytes: most blobs are small.
const firstRoom = 32 << 10

// room gives what is free of a part that isn't full.
func (p *Parts) room() []byte {
	size := p.size()
	if len(p.buf) == cap(p.buf) {
		grown := make([]byte, len(p.buf), min(max(4*len(p.buf), firstRoom), size))
		copy(grown, p.buf)
		p.buf = grown
	}
	return p.buf[len(p.buf):min(cap(p.buf), size)]
}

// try makes the tries of one request.
func (p *Parts) try(request func(context.Context) error) error {
	if p.How.Try == nil {
		return request(p.ctx)
	}
	return p.How.Try(p.ctx, request)
}

// hand hands a part to the senders. If it isn't the last, it waits for room for another.
func (p *Parts) hand(last bool) error {
	if p.work == nil {
		if err := p.try(p.To.Begin); err != nil {
			return err
		}
		p.begin()
	}
	p.crc = crc32.Update(p.crc, castagnoli(), p.buf)
	p.work <- part{p.sent, p.buf, last} // there is room for as many as there are buffers
	p.buf = nil
	p.sent++
	if last {
		return nil
	}
	var err error
	p.buf, err = p.buffer(p.size())
	return err
}

func (p *Parts) begin() {
	p.buffers = max(p.How.AtOnce, 1)
	p.work, p.free = make(chan part, p.buffers), make(chan []byte, p.buffers)
	for range p.buffers - 1 {
		p.free <- nil
	}
	senders := p.buffers
	if p.InTurn {
		senders = 1
	}
	for range senders {
		p.senders.Go(p.send)
	}
}

func (p *Parts) send() {
	for part := range p.work {
		if p.ctx.Err() == nil {
			if err := p.try(func(ctx context.Context) error { return p.To.Part(ctx, part.n, part.body, part.last) }); err != nil {
				p.end(err)
			}
		}
		p.free <- part.body[:0]
	}
}

// buffer waits for a buffer of this size. Since parts become larger, it may take the place
// of several.
func (p *Parts) buffer(size int) ([]byte, error) {
	var b []byte
	for have := 0; have < size; {
		if have > 0 {
			if p.buffers == 1 {
				break
			}
			p.buffers--
		}
		select {
		case b = <-p.free:
		case <-p.ctx.Done():
			return nil, context.Cause(p.ctx)
		}
		if have += cap(b); b == nil { // it isn't made yet
			have += p.sizeOf(0)
		}
	}
	if cap(b) < size {
		b = make([]byte, 0, size)
	}
	return b, nil
}

// Close makes the blob visible, or leaves nothing.
func (p *Parts) Close() error {
	defer p.end(nil)
	if p.failed() == nil {
		if p.work == nil {
			return p.try(func(ctx context.Context) error { return p.To.Whole(ctx, p.buf) })
		}
		p.err = p.hand(true)
	}
	if p.work == nil {
		return p.err
	}
	close(p.work)
	p.senders.Wait()
	if p.failed() == nil {
		p.err = p.try(func(ctx context.Context) error { return p.To.End(ctx, p.sent) })
	}
	if p.err != nil {
		Undo(p.ctx, p.To.Abort)
	}
	return p.err
}
