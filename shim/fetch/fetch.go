package fetch

import (
	"context"
	"errors"
	"strconv"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task/manifest"
	"nth/shim/task/objects"
	"nth/templates"
)

// Rows are the numbered items that one URL names: the rows of a file, or the objects of a
// store.
type Rows interface {
	Show() string // the URL, without credentials
	Close() error
	// Ready finds out what takes longer than one call may; of a file there is nothing.
	Ready(ctx context.Context) error
	Len(ctx context.Context) (int64, error)
	// Version is what they come from: of another version each may be another.
	Version(ctx context.Context) (contract.Token, error)
	// Row gives one as it is now, Each visits some as they were when they were numbered: a
	// bad one too, with its Err.
	Row(ctx context.Context, i int64) (Row, error)
	Each(ctx context.Context, from, to int64, visit func(i int64, r Row) error) error
}

// Row is one of them.
type Row struct {
	templates.Task
	Err error // it is bad, and the others may be well
	// Of an item that is made of objects: what they are, and the URLs by which they were
	// found.
	Of    []marker.Object
	Found map[string]string
	Gone  error // one of them isn't there any more: a failure with exit code 66; nil: all are

	listed objects.Item
}

// Looker is Rows whose items may have changed since they were numbered.
type Looker interface {
	// Now gives one that Each has visited as it is at this moment. An error is a failure.
	Now(ctx context.Context, r Row) (Row, error)
}

// Vouched is what the marker of an item that is made of objects vouches for; nil: it is its
// payload.
func (r Row) Vouched() (all []string) {
	for _, o := range r.Of {
		version := o.ETag
		if version == "" {
			version = strconv.FormatInt(o.Size, 10)
		}
		all = append(all, o.URL, version)
	}
	return all
}

// File is the rows of a file.
type File struct{ *manifest.Manifest }

// Ready is at once.
func (f File) Ready(context.Context) error { return nil }

// Row gives a row.
func (f File) Row(ctx context.Context, i int64) (Row, error) {
	r, err := f.Manifest.Row(ctx, i)
	return rowOf(r), err
}

// Each visits rows.
func (f File) Each(ctx context.Context, from, to int64, visit func(int64, Row) error) error {
	return f.Rows(ctx, from, to, func(i int64, r manifest.Row) error { return visit(i, rowOf(r)) })
}

func rowOf(r manifest.Row) Row {
	if r.Err != nil {
		return Row{Err: r.Err}
	}
	return Row{Task: templates.Task{Payload: r.Payload(), Columns: r.Columns}}
}

// BatchRows is how many rows of a part are read at once, at most: as many as a block of a
// manifest's index has.
const BatchRows = 10_000

// Objects is the objects of a store.
type Objects struct {
	*objects.List
	Looks bool // it writes nothing
}

// Ready pins the list, or finds the one that is pinned.
func (o Objects) Ready(ctx context.Context) error {
	if o.Looks {
		return o.Look(ctx)
	}
	return o.Pin(ctx)
}

// Len gives how many items there are.
func (o Objects) Len(context.Context) (int64, error) { return o.List.Len(), nil }

// Version names the list.
func (o Objects) Version(context.Context) (contract.Token, error) {
	return contract.Token(o.List.Version()), nil
}

// Row gives an item whose objects are looked at; one whose objects are gone as it was listed,
// for it may be done.
func (o Objects) Row(ctx context.Context, i int64) (row Row, err error) {
	err = o.Each(ctx, i, i+1, func(_ int64, r Row) error {
		row = r
		return nil
	})
	if err != nil {
		return row, err
	}
	now, err := o.Now(ctx, row)
	if f, ok := errors.AsType[*failure.Failure](err); ok && f.Code == failure.NoInput {
		row.Gone = f
		return row, nil
	}
	return now, err
}

// Now looks at an item's objects.
func (o Objects) Now(ctx context.Context, r Row) (Row, error) {
	now, err := o.List.Now(ctx, r.listed)
	if err != nil {
		return r, err
	}
	return o.row(now), nil
}

// Each visits items as they were listed.
func (o Objects) Each(ctx context.Context, from, to int64, visit func(int64, Row) error) error {
	return o.items(ctx, from, to, func(i int64, it objects.Item) error { return visit(i, o.row(it)) })
}

func (o Objects) items(ctx context.Context, from, to int64, visit func(int64, objects.Item) error) error {
	err := o.Items(ctx, from, to, visit)
	if b, ok := errors.AsType[*objects.Beyond](err); ok {
		return &manifest.Error{Kind: manifest.Beyond, Cause: b, Hint: "are there more indexes than objects? --completions auto counts them"}
	}
	return err
}

func (o Objects) row(it objects.Item) Row {
	r := Row{Found: o.WithParameters(it), listed: it}
	r.Payload, r.Fields, r.Columns = o.Texts(it)
	for _, one := range it.Files {
		url := o.Named(one).URL
		r.Of = append(r.Of, marker.Object{URL: url, ETag: one.ETag, Size: one.Size})
	}
	return r
}

// Version gives which version of a file, or of a list, an item is of.
func Version(ctx context.Context, rows Rows) (*marker.Manifest, error) {
	version, err := rows.Version(ctx)
	return &marker.Manifest{URL: rows.Show(), Version: string(version)}, err
}

// NoFile is what to do about a file of rows that isn't there.
const NoFile = "there is no such file: correct the URL of --tasks, or make it first"

// Final keeps what no further try would change from being tried again: a fault of the
// file's own, and what is a failure already.
func Final(err error) error {
	_, fault := errors.AsType[*manifest.Error](err)
	if _, ok := errors.AsType[*failure.Failure](err); ok || fault {
		return errors.Join(err, &contract.Error{Kind: contract.Invalid, Cause: err})
	}
	return err
}

// Failed is the failure for an item of this name that can't be had: exit code 66 where
// there is none, 65 for one that is bad. Without a name it is the file of rows, which is
// no item's.
func Failed(err error, what, shown string) error {
	if m, ok := errors.AsType[*manifest.Error](err); ok {
		f := &failure.Failure{Code: failure.BadIndex, Tried: "read the rows", On: shown, Cause: m.Cause, Hint: m.Hint}
		if m.Kind == manifest.Beyond {
			f.Code = failure.NoInput
		}
		return f
	}
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	f := store.Fail(err, failure.OneIndex, "fetch the item", shown)
	switch {
	case store.Classify(err) != contract.Absent:
	case what == "":
		f.Tried, f.Hint = "read the rows", NoFile
	default:
		f.Hint = what + " has no item there: correct the template or the number of completions"
	}
	return f
}
