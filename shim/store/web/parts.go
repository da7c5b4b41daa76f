package web

import (
	"bytes"
	"context"
	"io"
)

// PartSize is how much of a large blob is held in memory and sent at once, in bytes:
// a multiple of the 256 KiB that Google wants, and more than the 5 MiB of S3.
const PartSize = 8 << 20

// Parts is a writer of a blob that is sent whole if it fits into one part, and else
// in parts as they come.
type Parts struct {
	// Send sends a part that is not the last.
	Send func(part []byte) error
	// Double is after how many parts their size doubles, where a blob may have only so
	// many; 0: never.
	Double int

	buf  bytes.Buffer
	sent int
	err  error // the first; nothing is published then
}

func (p *Parts) size() int {
	if p.Double == 0 {
		return PartSize
	}
	return PartSize << (p.sent / p.Double)
}

// Write takes a piece of the blob.
func (p *Parts) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	p.buf.Write(b)
	for p.err == nil && p.buf.Len() > p.size() {
		if p.err = p.Send(p.buf.Next(p.size())); p.err == nil {
			p.sent++
		}
	}
	return len(b), p.err
}

// Upload takes all of r. It is here because the portable layer, which would call
// Write itself, calls Close also after r failed, and Close would publish what came.
func (p *Parts) Upload(r io.Reader) error {
	if whole, ok := r.(*bytes.Reader); ok && whole.Len() <= p.size() {
		// What is in memory already isn't copied.
		_, err := whole.WriteTo(writerFunc(func(b []byte) { p.buf = *bytes.NewBuffer(b) }))
		return err
	}
	_, err := io.Copy(struct{ io.Writer }{p}, r)
	if p.err == nil {
		p.err = err
	}
	return err
}

type writerFunc func(b []byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

// Finish publishes the blob: whole sends it if it fits into one part, last sends what
// is left of a larger one and makes it visible. After any error nothing is called.
func (p *Parts) Finish(ctx context.Context, whole, last func(body []byte) error) error {
	if p.err == nil {
		p.err = context.Cause(ctx)
	}
	switch {
	case p.err == nil && p.sent == 0:
		p.err = whole(p.buf.Bytes())
	case p.err == nil:
		p.err = last(p.buf.Bytes())
	}
	return p.err
}
