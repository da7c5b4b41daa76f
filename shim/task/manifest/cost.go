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

// Cost tells what it costs to read rows, which increase. Those beyond the end cost
// nothing. It scans the file, where no index is kept.
func (m *Manifest) Cost(ctx context.Context, rows iter.Seq[int64]) (c Cost, err error) {
	err = m.again(func() (bool, error) {
		c, err = m.cost(ctx, rows)
		return true, err
	})
	return c, err
}

func (m *Manifest) cost(ctx context.Context, rows iter.Seq[int64]) (Cost, error) {
	v, err := m.look(ctx)
	if err != nil {
		return Cost{}, err
	}
	x := v.index
	if x == nil {
		if x, err = m.scanned(ctx, v, 0, 0, ignore); x == nil || err != nil {
			return Cost{Size: v.size}, err
		}
	}
	c := Cost{Size: v.size, Rows: x.rows, Kept: v.token != "" && v.size > small}
	index := int64(len(x.encode(m.gz)))
	k, first := 0, int64(0)
	for row := range rows {
		if row >= x.rows {
			break
		}
		for first+x.blocks[k].rows <= row {
			first += x.blocks[k].rows
			k++
		}
		scanned := x.blocks[k].end()
		if v.size <= small {
			scanned = v.size
		}
		c.Scanned += scanned
		if c.Kept {
			c.Indexed += index + x.blocks[k].bytes
		} else {
			c.Indexed += scanned
		}
	}
	return c, nil
}
