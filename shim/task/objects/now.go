package objects

import (
	"context"
	"errors"
	"slices"
	"syscall"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// Now gives the item as its objects are at this moment: the list says which there are, and
// not what has become of them. The kind Absent: one is gone.
func (l *List) Now(ctx context.Context, it Item) (Item, error) {
	it.Files = slices.Clone(it.Files)
	for i := range it.Files {
		o := &it.Files[i]
		err := l.ask(ctx, func(ctx context.Context) error {
			e, err := l.objects.Stat(ctx, o.Key)
			if err == nil {
				*o = l.object(e)
			}
			return err
		})
		if err != nil {
			return it, l.gone(ctx, err, o.Key)
		}
	}
	return it, nil
}

// unmounted tells whether it is the whole directory that isn't there: that is no index's matter, for
// a volume may be mounted late.
func (l *List) unmounted(ctx context.Context, tried, on string) error {
	err := l.objects.Find(ctx)
	if err == nil {
		return nil
	}
	f := store.Fail(err, failure.TheServer, tried, on)
	f.Hint = "is the volume mounted?"
	return f
}

// gone gives the error of an object that couldn't be looked at as a failure.
func (l *List) gone(ctx context.Context, err error, key string) error {
	f := store.Fail(err, failure.OneIndex, "look at the object", l.objects.Show(key))
	why := ""
	switch {
	case store.Classify(err) == contract.Absent, errors.Is(err, syscall.ENOTDIR):
		why = "it does not exist any more"
	case errors.Is(err, contract.ErrDirectory):
		why = "it does not exist any more: a directory stands in its place"
	case contract.Blocked(err):
		why = "it does not exist any more: what stands in its place is no regular file"
	default:
		return f
	}
	if err := l.unmounted(ctx, f.Tried, f.On); err != nil {
		return err
	}
	f.Code, f.Cause = failure.NoInput, errors.New(why)
	f.Hint = "it was there when the list was made: put it back, or begin with other markers, and a list of what is there"
	return f
}
