package fetch

import (
	"context"
	"errors"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task/manifest"
)

// Row gives a row, from 0, and which version of the file it is of.
func Row(ctx context.Context, m *manifest.Manifest, index int64) (manifest.Row, *marker.Manifest, error) {
	row, err := m.Row(ctx, index)
	if err != nil {
		return row, nil, Final(err)
	}
	version, err := m.Version(ctx)
	if err != nil {
		return row, nil, err
	}
	return row, &marker.Manifest{URL: m.Show(), Version: string(version)}, nil
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
		f := &failure.Failure{Code: failure.BadIndex, Tried: "read the manifest", On: shown, Cause: m.Cause, Hint: m.Hint}
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
		f.Tried, f.Hint = "read the manifest", NoFile
	default:
		f.Hint = what + " has no item there: correct the template or the number of completions"
	}
	return f
}
