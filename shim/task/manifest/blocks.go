package manifest

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"slices"

	"nth/shim/store/contract"
)

// indexed visits rows by the index, with one range of the file. Each block is held in
// memory, and compared with the index, before a row of it is believed: errLies says
// that none of the rows from there on was visited. Neither is believed how many rows
// there are before the last block was seen.
func (m *Manifest) indexed(ctx context.Context, x *index, from, to int64, visit visitor) error {
	columns, err := m.columns(x)
	if err != nil {
		return errLies // who wrote it would have found the same
	}
	k, first := x.find(min(from, x.rows-1))
	last, _ := x.find(min(to, x.rows) - 1)
	for _, b := range x.blocks[k : last+1] {
		if b.length > maxBlock {
			return errLong
		}
	}
	begin := x.blocks[k]
	r, err := m.read(ctx, x.of, begin.start, x.blocks[last].end()-begin.start)
	if err != nil {
		return err
	}
	defer r.Close()
	in, err := m.behind(r, begin.skip)
	if err != nil {
		return doubtful(ctx, err)
	}
	var body []byte
	for ; k <= last; k++ {
		body = slices.Grow(body[:0], int(x.blocks[k].length))[:x.blocks[k].length]
		if _, err := io.ReadFull(in, body); err != nil {
			return doubtful(ctx, err)
		}
		if err := m.visitBlock(x.blocks[k], body, first, from, to, columns, visit); err != nil {
			return err
		}
		first += x.blocks[k].rows
	}
	return missing(x.rows, from, to)
}

var errLong = errors.New("a row there is too long for the index")

// distrusted tells whether the rows must be looked for without the index.
func distrusted(err error) bool { return errors.Is(err, errLies) || errors.Is(err, errLong) }

// columns reads the header that the index keeps.
func (m *Manifest) columns(x *index) ([]string, error) {
	if m.format.comma == 0 {
		return nil, nil
	}
	return m.format.columns(record{raw: x.header})
}

// behind gives what stands behind so many bytes, uncompressed.
func (m *Manifest) behind(r io.Reader, skip int64) (io.Reader, error) {
	if !m.gz {
		return r, nil
	}
	z, err := newMembers(r)
	if err != nil {
		return nil, err
	}
	_, err = io.CopyN(io.Discard, z, skip)
	return z, err
}

// doubtful: what the store or the context says is so; of all else the index is to
// blame, until the whole file says the same.
func doubtful(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*contract.Error](err); ok || ctx.Err() != nil {
		return err
	}
	return errLies
}

// visitBlock visits a block's rows, the first of which has the number first.
func (m *Manifest) visitBlock(b block, body []byte, first, from, to int64, columns []string, visit visitor) error {
	if crc32.Checksum(body, castagnoli()) != b.sum || countRows(body, m.format) != b.rows {
		return errLies
	}
	s := newRecords(bytes.NewReader(body), m.format, 0)
	for i := first; i < min(to, first+b.rows); i++ {
		rec, err := s.next()
		if err != nil {
			return err
		}
		if i < from {
			continue
		}
		if err := visit(i, m.format.row(i, rec, columns)); err != nil {
			return err
		}
	}
	return nil
}

func countRows(body []byte, f format) (rows int64) {
	s := newRecords(bytes.NewReader(body), f, 0)
	for {
		if _, err := s.next(); err != nil {
			return rows
		}
		rows++
	}
}
