package manifest

import (
	"context"
	"iter"
)

// Cost is what it costs to read rows, each by a reader of its own, in bytes.
type Cost struct {
	Size int64 // of the file
	Rows int64 // that it has
	Kept bool  // an index can be kept of it; of a small file there is none
	// Indexed is what the readers read with the index: it, and one range each. Scanned is
	// what they read at most where it can't be kept: all up to their rows. Neither has
	// the one scan that makes the index.
	Indexed, Scanned int64
}

// Part is what one reader reads of it: the rows From, up to but without To.
type Part struct{ From, To int64 }

// Cost tells what it costs to read single rows, which increase. Those beyond the end cost
// nothing. It scans the file, where no index is kept.
func (m *Manifest) Cost(ctx context.Context, rows iter.Seq[int64]) (Cost, error) {
	return m.costs(ctx, func(c *Cost, x *index) {
		k, first, index := 0, int64(0), int64(len(x.encode(m.gz)))
		for row := range rows {
			if row >= x.rows {
				break
			}
			k, first = x.onward(k, first, row)
			scanned := x.blocks[k].end()
			if c.Size <= small {
				scanned = c.Size
			}
			c.Scanned += scanned
			if c.Kept {
				c.Indexed += index + x.blocks[k].bytes
			} else {
				c.Indexed += scanned
			}
		}
	})
}

// CostOfParts tells the same of readers that count the rows, read the first of theirs,
// and then all of them, up to each multiple of batch at once. The parts of so many rows
// increase, and none is empty.
func (m *Manifest) CostOfParts(ctx context.Context, batch int64, parts func(rows int64) iter.Seq[Part]) (Cost, error) {
	return m.costs(ctx, func(c *Cost, x *index) {
		// Who has the index from elsewhere reads the last block before it believes the count.
		counted := int64(len(x.encode(m.gz))) + x.blocks[len(x.blocks)-1].bytes
		if !c.Kept {
			counted = c.Size
		}
		k, first := 0, int64(0)
		for part := range parts(x.rows) {
			k, first = x.onward(k, first, part.From)
			read := x.blocks[k].bytes
			for from := part.From; from < part.To; {
				to := min((from/batch+1)*batch, part.To)
				k, first = x.onward(k, first, from)
				last, _ := x.onward(k, first, to-1)
				read += x.blocks[last].end() - x.blocks[k].start
				from = to
			}
			c.Scanned += c.Size + read
			c.Indexed += counted + read
		}
	})
}

// costs adds up what readers cost, by the index of the version that is there now.
func (m *Manifest) costs(ctx context.Context, sum func(*Cost, *index)) (c Cost, err error) {
	err = m.again(func() (bool, error) {
		v, err := m.look(ctx)
		if err != nil {
			return true, err
		}
		c = Cost{Size: v.size}
		x := v.index
		if x == nil {
			if x, err = m.scanned(ctx, v, 0, 0, ignore); x == nil || err != nil {
				return true, err
			}
		}
		c.Rows, c.Kept = x.rows, v.token != "" && v.size > small
		sum(&c, x)
		return true, nil
	})
	return c, err
}
