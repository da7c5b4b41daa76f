package objects

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

const (
	maxLine = 64 << 20 // of a group of very many
	maxRead = 4 << 20  // at once, and one block more
)

// Items visits the items from one number to before another. The store's connection isn't
// held while they are visited. An error of visit's ends all, and is given back.
func (l *List) Items(ctx context.Context, from, to int64, visit func(i int64, it Item) error) error {
	if to > l.doc.Items {
		return &Beyond{Index: max(from, l.doc.Items), Items: l.doc.Items}
	}
	for i := from; i < min(to, int64(len(l.doc.Lines))); i++ {
		if err := visitLine(i, l.doc.Lines[i], visit); err != nil {
			return err
		}
	}
	first := int64(0)
	for _, p := range l.doc.Pieces {
		if first >= to {
			return nil
		}
		next, err := l.piece(ctx, p, first, from, to, visit)
		if err != nil {
			return err
		}
		first = next
	}
	return nil
}

// Beyond: the list has fewer items.
type Beyond struct{ Index, Items int64 }

func (b *Beyond) Error() string {
	return fmt.Sprintf("there is no item %d: the list has %d, from 0", b.Index, b.Items)
}

// piece visits those of a piece, whose first item has the number first, and gives the number
// of the first one behind it.
func (l *List) piece(ctx context.Context, p piece, first, from, to int64, visit func(int64, Item) error) (int64, error) {
	offset := int64(0)
	for k := 0; k < len(p.Blocks); {
		if b := p.Blocks[k]; first+b[0] <= from || first >= to {
			first, offset, k = first+b[0], offset+b[1], k+1
			continue
		}
		last, size, items := k, int64(0), int64(0)
		for ; last < len(p.Blocks) && first+items < to && (size == 0 || size+p.Blocks[last][1] <= maxRead); last++ {
			size, items = size+p.Blocks[last][1], items+p.Blocks[last][0]
		}
		var body []byte
		err := l.ask(ctx, func(ctx context.Context) (err error) {
			body, err = l.pins.part(ctx, p.Key, offset, size)
			return err
		})
		if err != nil {
			return 0, l.lost(p.Key, err)
		}
		offset += size
		for ; k < last; k++ {
			b := p.Blocks[k]
			if int64(crc32.Checksum(body[:b[1]], castagnoli())) != b[2] {
				return 0, l.unusable(p.Key, errDamaged)
			}
			if err := visitBlock(body[:b[1]], first, from, to, visit); err != nil {
				return 0, err
			}
			body, first = body[b[1]:], first+b[0]
		}
	}
	return first, nil
}

var errDamaged = errors.New("a part of it is damaged")

func (l *List) lost(key string, err error) error {
	switch store.Classify(err) {
	case contract.Absent:
		return l.unusable(key, errors.New("a part of it is missing"))
	case contract.Malformed, contract.Refused: // it ends before what is asked for, or begins
		return l.unusable(key, errDamaged)
	}
	return store.Fail(err, failure.OneIndex, "read the list of objects", l.pins.show(key))
}

func visitBlock(body []byte, first, from, to int64, visit func(int64, Item) error) error {
	for line := range bytes.SplitSeq(bytes.TrimSuffix(body, []byte{'\n'}), []byte{'\n'}) {
		if from <= first && first < to {
			if err := visitLine(first, line, visit); err != nil {
				return err
			}
		}
		first++
	}
	return nil
}

func visitLine(i int64, line []byte, visit func(int64, Item) error) error {
	var it Item
	if err := json.Unmarshal(line, &it); err != nil || len(it.Files) == 0 {
		return &failure.Failure{Code: failure.Unavailable, Tried: "read the list of objects", Cause: fmt.Errorf("item %d is no item of nth's", i)}
	}
	return visit(i, it)
}
