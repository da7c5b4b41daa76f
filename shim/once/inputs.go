package once

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"nth/shim/claim"
	"nth/shim/disk"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/marker"
	"nth/shim/proc"
	"nth/shim/reach"
	"nth/shim/record"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// Inputs are what an item needs, and has.
type Inputs struct {
	There []expand.Text
	Lease *claim.Lease // --claim; nil: nobody is kept away

	Stdin       io.ReadCloser // of --stdin; nil: the command has another one
	Stdout      proc.Sink     // of --stdout; nil: the same
	Checkpoints *checkpoints  // that are kept while the command runs; nil: there are none
}

// close ends what the command was to read, where it didn't come to that.
func (in Inputs) close() {
	if in.Stdin != nil {
		_ = in.Stdin.Close()
	}
}

// requirePoll is how often a missing input is looked for under --require-wait.
const requirePoll = time.Second

// doneIf settles the item when its result exists, as make does with its targets.
func (w *Way) doneIf(ctx context.Context, it item.Item, found record.Verdict) (record.Verdict, error) {
	if err := w.Step(ctx, "done-if"); err != nil {
		return found, err
	}
	result := it.Places.DoneIf
	if result.Value == "" || found.Again() {
		return found, nil
	}
	there, err := w.blobExists(ctx, it, result, "look for the result of --done-if", w.blob)
	if err != nil || !there {
		return found, err
	}
	w.Log.Info().Msgf("%s is done: %s exists", it.Header.What(), result.Shown)
	now := w.Now().UTC()
	_, err = w.finish(marker.Marker{Header: it.Header, Usage: marker.Usage{Started: now, Finished: now}, Source: marker.SourceDoneIf, Outcome: marker.Done}, found)
	return record.Verdict{Settled: true}, err
}

// require looks for every input before the command runs, so that a wrong mapping costs
// one index and not the whole Job: exit code 66, or, after a wait, 69, for then it is late
// and may be there the next time.
func (w *Way) require(ctx context.Context, it item.Item) (in Inputs, err error) {
	if err := w.Step(ctx, "require"); err != nil {
		return in, err
	}
	if it.Gone != nil {
		return in, it.Gone
	}
	deadline := time.Now().Add(w.Config.Mapping.RequireWait)
	for _, input := range it.Places.Require {
		if scheme, _, is := strings.Cut(input.Value, "://"); is && !store.HasScheme(scheme) {
			input.Shown, _, _ = strings.Cut(contract.NoUser(input.Shown), "?")
		}
		for {
			there, err := w.exists(ctx, it, input, deadline)
			if err != nil {
				return in, err
			}
			if there {
				break
			}
			if !time.Now().Before(deadline) {
				return in, w.missing(it, input)
			}
			select {
			case <-ctx.Done():
				return in, w.Stopped("require")
			case <-time.After(min(requirePoll, time.Until(deadline))):
			}
		}
		in.There = append(in.There, input)
		w.Log.Debug().Str("input", input.Shown).Msg("required input is there")
	}
	return in, nil
}

func (w *Way) missing(it item.Item, input expand.Text) error {
	if wait := w.Config.Mapping.RequireWait; wait > 0 {
		return &failure.Failure{Code: failure.Unavailable, Tried: "wait for the required input", On: input.Shown,
			Cause: fmt.Errorf("it is still missing after %s", wait), Hint: "it is late: this counts as a failure and is tried again"}
	}
	return noInput(it, "find the required input", input.Shown)
}

func (w *Way) exists(ctx context.Context, it item.Item, input expand.Text, deadline time.Time) (bool, error) {
	const tried = "look for the required input"
	if reach.Is(input.Value) {
		return w.serverUp(ctx, input, deadline)
	}
	if scheme, _, is := strings.Cut(input.Value, "://"); is {
		if !store.HasScheme(scheme) {
			return false, itsOwn(&failure.Failure{Code: failure.Usage, Tried: tried, On: input.Shown, Cause: fmt.Errorf("%q is the scheme of neither a store nor a server", scheme),
				Hint: "write tcp://host:port, http://host/path or https://host/path for a server; file://, s3://, gs:// or azblob:// for a blob"}, input)
		}
		look := w.blob
		if address, _, _ := strings.Cut(input.Value, "?"); strings.HasSuffix(address, "/") {
			look = w.anyBelow
		}
		there, err := w.blobExists(ctx, it, input, tried, look)
		switch { // as for a path
		case errors.Is(err, contract.ErrDirectory):
			return true, nil
		case errors.Is(err, syscall.ENOTDIR):
			return false, nil
		}
		return there, err
	}
	_, err := w.Stat(ctx, input.Value)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return false, nil
	case errors.Is(err, syscall.ENAMETOOLONG):
		return false, &failure.Failure{Code: failure.BadIndex, Tried: tried, On: input.Shown, Cause: err, Hint: "no file can have such a name"}
	case errors.Is(err, fs.ErrPermission):
		return false, &failure.Failure{Code: failure.Denied, Tried: tried, On: input.Shown, Cause: err,
			Hint: "let this user search the directories that lead to it"}
	}
	f := &failure.Failure{Code: failure.Unavailable, Tried: tried, On: input.Shown, Cause: err}
	if _, hangs := errors.AsType[*disk.NoAnswer](err); hangs {
		f.Hint = disk.Hint
	}
	return false, f
}

// serverUp asks a server that may be up later than the run, for as long as --store-wait
// or --require-wait says. That it isn't reached tells nothing of the index: 69.
func (w *Way) serverUp(ctx context.Context, input expand.Text, deadline time.Time) (there bool, err error) {
	s, err := reach.Parse(input.Value)
	if err != nil {
		return false, itsOwn(err, input)
	}
	p := w.FirstAccess()
	p.Window = max(p.Window, time.Until(deadline))
	err = store.Retry(ctx, p, func(ctx context.Context) (err error) {
		there, err = s.There(ctx)
		return err
	}, func(err error, wait time.Duration) { w.RetryingTo("required server", err, wait) })
	if err != nil {
		return false, store.Fail(err, whose(input), "reach the required server", input.Shown)
	}
	return there, nil
}

// look opens the store of a URL, and gives what asks it whether that is there.
type look func(ctx context.Context, url string) (*store.Store, func(context.Context) (bool, error), error)

// blobExists asks for as long as --store-wait says when the store doesn't answer.
func (w *Way) blobExists(ctx context.Context, it item.Item, url expand.Text, tried string, look look) (there bool, err error) {
	s, exists, err := look(ctx, url.Value)
	if err != nil {
		return false, itsOwn(err, url)
	}
	defer s.Close()
	err = store.Retry(ctx, w.FirstAccess(), func(ctx context.Context) (err error) {
		there, err = exists(ctx)
		return err
	}, w.Retrying)
	if err == nil {
		return there, nil
	}
	f := store.Fail(err, whose(url), tried, url.Shown)
	if contract.Blocked(err) {
		f.Code = failure.BadIndex
	}
	if errors.Is(err, contract.ErrDirectory) {
		f.Hint = "a blob is a file; what ends in a slash is a directory"
	}
	return false, f
}

// blob looks for one blob.
func (w *Way) blob(ctx context.Context, url string) (*store.Store, func(context.Context) (bool, error), error) {
	s, key, err := w.Stores.OpenObject(ctx, url)
	return s, func(ctx context.Context) (bool, error) { return s.Exists(ctx, key) }, err
}

// anyBelow looks for any blob below a URL that ends in a slash.
func (w *Way) anyBelow(ctx context.Context, url string) (*store.Store, func(context.Context) (bool, error), error) {
	s, err := w.Stores.Open(ctx, url)
	if err != nil {
		return nil, nil, err
	}
	return s, s.Holds, nil
}

// whose tells whose matter it is what a store says of an item's object.
func whose(url expand.Text) failure.Whose {
	if url.OfTask {
		return failure.OneTask
	}
	return failure.OneIndex
}

// itsOwn gives the error of a URL that can't be used. What a payload says may be anything,
// so it is the item's fault there, and else that of the command line.
func itsOwn(err error, url expand.Text) error {
	err = store.Of(url.Flag, err)
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || !url.OfTask {
		return err
	}
	own := *f
	own.Code = failure.BadIndex
	return &own
}
