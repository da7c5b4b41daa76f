package shim

import (
	"context"
	"errors"
	"slices"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task/manifest"
)

// rows are the items of a shard that are rows of a manifest. They are read ahead, a batch
// at a time, so that no connection is held while commands run.
type rows struct {
	m       *manifest.Manifest
	shown   string // its URL
	version string
	batches chan batch
	now     []row
}

// row is one item, or why it can't be had.
type row struct {
	number  int64
	payload string
	err     error
}

type batch struct {
	rows []row
	err  error
}

// What a batch may hold. It ends at a multiple of its rows, as the blocks of a manifest's
// index do, so that none of them is read twice.
const (
	batchRows  = 10_000
	batchBytes = 4 << 20 // and one row more
)

// openRows opens the manifest, and counts its rows: they are all indexes' items.
func (r *run) openRows(sh *shard) error {
	x := expander{fields: fields(r.id, r.RunID), sources: r.sources()}
	from, markers := x.expand("--tasks", r.mapping.tasks), x.expand("--markers", r.mapping.markers)
	r.item = &item{secrets: x.secrets}
	if x.err != nil {
		return x.err
	}
	var index *store.Store
	if markers.value != "" {
		if err := r.openBook(markers.value); err != nil {
			return err
		}
		index = r.book.Store
	}
	m, err := manifest.Open(r.ctx, from.value, index)
	if err != nil {
		return err
	}
	m.Warn = func(err error) { r.log.Warn().Msg("the manifest's index: " + r.said(err)) }
	sh.rows = &rows{m: m, shown: m.Show(), batches: make(chan batch)}
	err = store.Retry(r.ctx, r.policy(r.Stores.StoreWait), func(ctx context.Context) error {
		total, err := m.Len(ctx)
		if err != nil {
			return final(err)
		}
		version, err := m.Version(ctx)
		sh.total, sh.rows.version = total, string(version)
		return err
	}, r.retrying)
	if err != nil {
		return r.noItem(err, sh.rows.shown)
	}
	r.header.Manifest = &marker.Manifest{URL: sh.rows.shown, Version: sh.rows.version}
	return nil
}

// first reads the shard's first row; of items that are only numbers there are none.
func (rs *rows) first(ctx context.Context, r *run, number int64) (row, error) {
	if rs == nil {
		return row{}, nil
	}
	list, err := rs.read(ctx, r, number, number+1)
	if err != nil {
		return row{}, err
	}
	return list[0], nil
}

// feed reads the rows that are not done, until the context ends.
func (rs *rows) feed(ctx context.Context, r *run) {
	defer close(rs.batches)
	done, end := r.shard.before.Done, r.shard.End
	for from := done.Next(r.shard.Start); from < end; from = done.Next(from) {
		list, err := rs.read(ctx, r, from, min((from/batchRows+1)*batchRows, end))
		if err == nil {
			from = list[len(list)-1].number + 1
			list = slices.DeleteFunc(list, func(one row) bool { return done.Contains(one.number) })
		}
		select {
		case rs.batches <- batch{list, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

var errFull = errors.New("the batch is full")

// read reads rows from one number to before another, but no more than fit, and at least
// one.
func (rs *rows) read(ctx context.Context, r *run, from, to int64) (list []row, err error) {
	size, next := 0, from
	visit := func(i int64, of manifest.Row) error {
		one := row{number: i}
		if of.Err != nil {
			one.err = r.noItem(of.Err, rs.shown)
		} else {
			one.payload = of.Payload()
		}
		list = append(list, one)
		next, size = i+1, size+len(one.payload)
		if size >= batchBytes {
			return errFull
		}
		return nil
	}
	err = store.Retry(ctx, r.policy(r.Stores.StoreWait), func(ctx context.Context) error {
		err := rs.m.Rows(ctx, next, to, visit)
		if err != nil && !errors.Is(err, errFull) {
			return final(err)
		}
		version, err := rs.m.Version(ctx)
		if err == nil && string(version) != rs.version {
			err = &contract.Error{Kind: contract.Exists, Cause: errReplaced}
		}
		return err
	}, r.retrying)
	switch {
	case errors.Is(err, errReplaced):
		return nil, &failure.Failure{Code: failure.Unavailable, Tried: "read the manifest", On: rs.shown, Cause: errReplaced,
			Hint: "a Job's manifest must stay as it is; what comes next begins anew with what is there now"}
	case err != nil:
		return nil, r.noItem(err, rs.shown)
	}
	return list, nil
}

var errReplaced = errors.New("it was replaced while its rows were worked on")

// take gives the next row; false: there is none, or none can be had.
func (rs *rows) take() (row, error, bool) {
	for len(rs.now) == 0 {
		b, ok := <-rs.batches
		if !ok || b.err != nil {
			return row{}, b.err, false
		}
		rs.now = b.rows
	}
	one := rs.now[0]
	rs.now = rs.now[1:]
	return one, nil, true
}
