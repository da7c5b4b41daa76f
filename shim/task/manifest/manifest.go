// Package manifest reads row i of a file of a million rows, on any store and in
// constant memory: the work of an index is a row of it.
//
// The first reader scans the file, and leaves an index with the markers: where each
// block of a thousand rows begins. Everyone else asks for the file's version, reads
// that version's index and one range of the file, and believes a block only when it
// has the index's checksum and as many rows. An index that is damaged, of another
// version of nth, or doesn't fit is replaced by what a scan finds. So a hundred
// thousand pods don't read a hundred thousand times half of the file.
//
// The rows are those of csv and tsv (a header first), jsonl and txt; empty lines are
// none. A row that is bad says so itself, as its number's work can't be done; its
// neighbours are well. Two columns of one name make every row bad, unless it is none.
//
// A .gz is read from the nearest of its members' starts: bgzip and pigz -i write one
// for each 64 or 128 KiB. What gzip itself writes is a single member, of which every
// reader uncompresses all that stands before its row.
package manifest

import (
	"context"
	"errors"
	"sync"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// small is up to which size, in bytes, a file is read as it is: an index would be
// another request, and save nothing.
const small = 64 << 10

// Manifest is one of them. Its methods may be called from several goroutines.
type Manifest struct {
	// Warn is told what is not as it should be, and yet did no harm: an index that was
	// not usable, or could not be written. It may be nil.
	Warn func(error)

	store, index *store.Store
	key          string
	format       format
	gz           bool

	mu   sync.Mutex
	seen *view
}

// view is what is known of the manifest; it isn't changed, but replaced.
type view struct {
	version
	index  *index         // nil: none is known
	kept   bool           // the store has a right one
	stored contract.Token // the version of a wrong one in the store, which is to be replaced
}

type visitor func(i int64, r Row) error

// Open opens a manifest without asking the store anything; index is where its index is
// kept, nil for nowhere. An error is a failure with exit code 64 or 78, as store.Open's.
func Open(ctx context.Context, stores *store.Stores, url string, index *store.Store) (*Manifest, error) {
	s, key, err := stores.OpenObject(ctx, url)
	if err != nil {
		return nil, err
	}
	m := &Manifest{store: s, key: key, index: index}
	var ok bool
	if m.format, m.gz, ok = formatOf(key); !ok {
		s.Close()
		return nil, &failure.Failure{Code: failure.Usage, Tried: "open the file of rows", On: s.Show(key), Cause: errors.New("its name doesn't tell the format"),
			Hint: "it ends in .csv, .tsv, .jsonl or .txt, and .gz after that if it is compressed"}
	}
	return m, nil
}

// Close gives connections back; the index's store is the caller's.
func (m *Manifest) Close() error { return m.store.Close() }

// Show gives the manifest's URL without credentials.
func (m *Manifest) Show() string { return m.store.Show(m.key) }

// Version gives the version of the manifest that rows come from, "" where the store
// names none.
func (m *Manifest) Version(ctx context.Context) (contract.Token, error) {
	v, err := m.look(ctx)
	if err != nil {
		return "", err
	}
	return v.token, nil
}

// Row gives one row, from 0. The error of a row that is bad or beyond the end, or of a
// manifest that is bad as a whole, is an *Error, everything else the store's.
func (m *Manifest) Row(ctx context.Context, i int64) (Row, error) {
	var row Row
	err := m.again(func() (bool, error) {
		err := m.rows(ctx, i, i+1, func(_ int64, r Row) error {
			row = r
			return nil
		})
		return true, err
	})
	if err != nil {
		return Row{}, err
	}
	return row, row.Err
}

// Rows visits rows from, up to but without to. A bad row is visited too, with its Err;
// an error of visit's ends all, and is given back. After an error the rows that were
// visited are right, and the caller may ask again from the next. The store's
// connection is held meanwhile: what takes long is better done after it.
func (m *Manifest) Rows(ctx context.Context, from, to int64, visit func(i int64, r Row) error) error {
	if from >= to {
		return nil
	}
	begun := false
	return m.again(func() (bool, error) {
		err := m.rows(ctx, from, to, func(i int64, r Row) error {
			begun = true
			return visit(i, r)
		})
		return !begun, err
	})
}

// Len gives the number of rows.
func (m *Manifest) Len(ctx context.Context) (n int64, err error) {
	err = m.again(func() (bool, error) {
		n, err = m.count(ctx)
		return true, err
	})
	return n, err
}

func (m *Manifest) count(ctx context.Context) (int64, error) {
	v, err := m.look(ctx)
	if err != nil {
		return 0, err
	}
	if v.index != nil {
		rows := v.index.rows
		err := m.indexed(ctx, v.index, rows-1, rows, ignore)
		if !distrusted(err) {
			return rows, err
		}
		v = m.lied(v, err)
	}
	x, err := m.scanned(ctx, v, 0, 0, ignore)
	if x == nil {
		return 0, err
	}
	return x.rows, err
}

func ignore(int64, Row) error { return nil }
