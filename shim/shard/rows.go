package shard

import (
	"context"
	"errors"
	"slices"

	"nth/shim/failure"
	"nth/shim/fetch"
	"nth/shim/identity"
	"nth/shim/once"
	"nth/shim/source"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/templates"
)

// rows are the items of a shard that are rows of a file, or objects. They are read ahead, a batch at a
// time, so that no connection is held while commands run.
type rows struct {
	way     *once.Way
	m       fetch.Rows
	shown   string // its URL
	version string
	total   int64
	batches chan batch
	now     []row
	broken  error // what is behind them can't be had
	ahead   []row // that were read with others, and are of the next chunk
}

// row is one item, or why it can't be had.
type row struct {
	number int64
	task   templates.Task
	err    error
	listed fetch.Row // of an object, which is looked at before its command
}

type batch struct {
	rows []row
	err  error // why nothing comes behind them
}

// What a batch may hold. It ends at a multiple of its rows, as the blocks of a manifest's
// index do, so that none of them is read twice.
const (
	batchRows  = fetch.BatchRows
	batchBytes = 4 << 20 // and one row more
)

// openRows opens the file, and counts its rows: they are all indexes' items.
func openRows(ctx context.Context, w *once.Way, from *source.Mapping, address string) (*rows, error) {
	m, err := from.Rows(ctx, w.Run, address, w.Record.Store())
	if err != nil {
		return nil, err
	}
	if err := m.Ready(ctx); err != nil {
		m.Close()
		return nil, err
	}
	rs := &rows{way: w, m: m, shown: m.Show(), batches: make(chan batch)}
	err = store.Retry(ctx, rs.way.FirstAccess(), func(ctx context.Context) error {
		total, err := m.Len(ctx)
		if err != nil {
			return fetch.Final(err)
		}
		version, err := m.Version(ctx)
		rs.total, rs.version = total, string(version)
		return err
	}, w.Retrying)
	if err != nil {
		m.Close()
		return nil, rs.failed(err)
	}
	return rs, nil
}

func (rs *rows) failed(err error) error {
	return fetch.Failed(err, "", rs.shown)
}

// first reads the shard's first row; of items that are only numbers there are none.
func (rs *rows) first(ctx context.Context, number int64) (row, error) {
	if rs == nil {
		return row{number: number}, nil
	}
	list, err := rs.read(ctx, number, number+1)
	if err != nil {
		return row{}, err
	}
	return list[0], nil
}

// feed reads the rows of a shard that are not done, until the context ends.
func (rs *rows) feed(ctx context.Context, start, end int64, done identity.List) {
	rs.feedFrom(ctx, start, end, end, done)
}

// feedFrom is feed for a part of what will be wanted, up to limit, one part after the other:
// what is read at a time isn't less for that.
func (rs *rows) feedFrom(ctx context.Context, start, end, limit int64, done identity.List) {
	defer close(rs.batches)
	send := rs.sender()
	for from := done.Next(start); from < end; from = done.Next(from) {
		list, err := rs.upTo(ctx, from, end, limit)
		if err == nil {
			from = list[len(list)-1].number + 1
			list = slices.DeleteFunc(list, func(one row) bool { return done.Contains(one.number) })
		}
		if !send(ctx, batch{list, err}) || err != nil {
			return
		}
	}
}

// upTo gives rows from one number to before another, at least one.
func (rs *rows) upTo(ctx context.Context, from, to, limit int64) (list []row, err error) {
	list = rs.ahead
	if len(list) == 0 || from < list[0].number || from > list[len(list)-1].number {
		if list, err = rs.read(ctx, from, min((from/batchRows+1)*batchRows, limit)); err != nil {
			return nil, err
		}
	}
	list = list[from-list[0].number:]
	n := min(int64(len(list)), to-from)
	rs.ahead = list[n:]
	return list[:n:n], nil
}

var errFull = errors.New("the batch is full")

// read reads rows from one number to before another, but no more than fit, and at least
// one.
func (rs *rows) read(ctx context.Context, from, to int64) (list []row, err error) {
	size, next := 0, from
	visit := func(i int64, of fetch.Row) error {
		one := row{number: i}
		if of.Err != nil {
			one.err = rs.failed(of.Err)
		} else {
			one.task = of.Task
			if _, looks := rs.m.(fetch.Looker); looks {
				one.listed = of
			}
		}
		list = append(list, one)
		next, size = i+1, size+len(one.task.Payload)+len(one.task.Fields)
		if size >= batchBytes {
			return errFull
		}
		return nil
	}
	err = store.Retry(ctx, rs.way.FirstAccess(), func(ctx context.Context) error {
		err := rs.m.Each(ctx, next, to, visit)
		if err != nil && !errors.Is(err, errFull) {
			return fetch.Final(err)
		}
		version, err := rs.m.Version(ctx)
		if err == nil && string(version) != rs.version {
			err = &contract.Error{Kind: contract.Exists, Cause: errReplaced}
		}
		return err
	}, rs.way.Retrying)
	switch {
	case errors.Is(err, errReplaced):
		return nil, &failure.Failure{Code: failure.Unavailable, Tried: "read the rows", On: rs.shown, Cause: errReplaced,
			Hint: "a Job's file of rows must stay as it is; what comes next begins anew with what is there now"}
	case err != nil:
		return nil, rs.failed(err)
	}
	return list, nil
}

var errReplaced = errors.New("it was replaced while its rows were worked on")

// take gives the next row; false: there is none, or none can be had.
func (rs *rows) take() (row, error, bool) {
	for len(rs.now) == 0 {
		if rs.broken != nil {
			return row{}, rs.broken, false
		}
		b, ok := <-rs.batches
		if !ok {
			return row{}, nil, false
		}
		rs.now, rs.broken = b.rows, b.err
	}
	one := rs.now[0]
	rs.now = rs.now[1:]
	return one, nil, true
}
