package manifest

import (
	"bytes"
	"context"
	"io"
)

// builder makes the index of what is scanned.
type builder struct {
	x       *index
	s       *records
	members *members  // of a .gz
	held    []*member // by block, the one that its first byte is in
}

// add notes a record.
func (b *builder) add(rec record) {
	if n := len(b.x.blocks); n == 0 || b.x.blocks[n-1].full() {
		b.begin(rec)
	}
	if b.members != nil {
		b.members.holding(rec.start) // which forgets what lies behind
	}
	last := &b.x.blocks[len(b.x.blocks)-1]
	b.x.rows++
	last.rows++
	last.length += rec.size
	last.sum, b.s.fresh = b.s.sum, 0
}

func (b *builder) begin(rec record) {
	k := block{start: rec.start}
	if len(b.x.blocks) == 0 {
		b.x.first = rec.start
	} else {
		b.s.sum = b.s.fresh
	}
	if b.members != nil {
		m := b.members.holding(rec.start)
		b.held = append(b.held, m)
		k.start, k.skip = m.start, rec.start-m.at
	}
	b.x.blocks = append(b.x.blocks, k)
}

func (k block) full() bool { return k.rows == blockRows || k.length >= blockBytes }

// end gives the index when all is read; rest is what came after the last record.
func (b *builder) end(rest int64) *index {
	blocks := b.x.blocks
	for i := range blocks {
		k, last := &blocks[i], i == len(blocks)-1
		switch {
		case last:
			k.length += rest
			k.sum = b.s.sum
			k.bytes = b.x.of.size - k.start
		case b.members == nil:
			k.bytes = k.length
		case blocks[i+1].skip == 0:
			k.bytes = blocks[i+1].start - k.start
		default:
			k.bytes = b.held[i+1].end - k.start
		}
	}
	return b.x
}

// scan reads the manifest from its start, in constant memory, and visits rows from,
// up to but without to. With keep it reads to the end, and gives the index; nil where
// the manifest has no rows, or ends within quotes. Of no rows, the last is an error.
func (m *Manifest) scan(ctx context.Context, v version, from, to int64, keep bool, visit visitor) (*index, error) {
	r, err := m.read(ctx, v, 0, v.size)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := &builder{x: &index{of: v, format: indexFormat(m.format, m.gz)}}
	in := io.Reader(r)
	if m.gz {
		if b.members, err = newMembers(r); err != nil {
			return nil, broken(err)
		}
		in = b.members
	}
	b.s = newRecords(in, m.format, 0)
	return m.walk(b, from, to, keep, visit)
}

func (m *Manifest) walk(b *builder, from, to int64, keep bool, visit visitor) (*index, error) {
	columns, err := m.header(b)
	if err != nil {
		return nil, broken(err)
	}
	b.s.sum, b.s.fresh = 0, 0
	for i := int64(0); keep || i < to; i++ {
		rec, err := b.s.next()
		if err == io.EOF {
			return b.end(rec.size).orNone(), missing(i, from, to)
		}
		if err != nil {
			return nil, broken(err)
		}
		b.add(rec)
		if from <= i && i < to {
			if err := visit(i, m.format.row(i, rec, columns)); err != nil {
				return nil, err
			}
		}
		if rec.open { // nobody knows what rows are behind the quote
			return nil, openEnd(i, from, to)
		}
	}
	return nil, nil
}

// missing is the error for the first row that was wanted and isn't there.
func missing(rows, from, to int64) error {
	if from >= to || to <= rows {
		return nil
	}
	return beyond(max(from, rows), rows)
}

func openEnd(last, from, to int64) error {
	if from < to && to <= last+1 {
		return nil
	}
	return badRow(last, hintQuote, "its quotes are never closed, and the rest of the file is within them")
}

// orNone gives no index of no rows: there is nothing in it to check it by.
func (x *index) orNone() *index {
	if x.rows == 0 {
		return nil
	}
	return x
}

// header reads up to the first row.
func (m *Manifest) header(b *builder) ([]string, error) {
	if err := b.s.begin(); err != nil || m.format.comma == 0 {
		return nil, err
	}
	rec, err := b.s.next()
	if err == io.EOF {
		return nil, nil // without a header there are no rows either
	}
	if err != nil {
		return nil, err
	}
	b.x.header = bytes.Clone(rec.raw)
	return m.format.columns(rec)
}
