package once

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/stage"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/transfer"
)

// bring fetches what an item reads, restores its checkpoints, and opens its stdin.
func (w *Way) bring(ctx context.Context, it item.Item, in *Inputs) error {
	d := it.Places.Data
	if len(d.Inputs) == 0 && len(d.Checkpoints) == 0 && d.Stdin.Value == "" {
		return nil
	}
	if err := w.Step(ctx, "fetch"); err != nil {
		return err
	}
	var err error
	if len(d.Inputs) > 0 {
		err = w.fetch(ctx, it)
	}
	if err == nil && len(d.Checkpoints) > 0 {
		err = w.restore(ctx, d)
	}
	if err == nil && d.Stdin.Value != "" {
		err = w.openStdin(ctx, it, in)
	}
	if err != nil && ctx.Err() != nil {
		return w.Stopped("fetch")
	}
	return err
}

func (w *Way) fetch(ctx context.Context, it item.Item) error {
	g, progress := w.stage(w.FirstAccess(), "fetching")
	defer progress.end()
	for _, i := range it.Places.Inputs {
		from := stage.Input{URL: i.URL.Value, Path: i.Path.Value}
		if (i.Dir || i.Glob) && !strings.HasSuffix(from.Path, "/") {
			from.Path += "/"
		}
		got, err := g.Fetch(ctx, from)
		if errors.Is(err, stage.ErrMissing) {
			return noInput(it, "fetch the input", i.URL.Shown)
		}
		if err != nil {
			return itsOwn(err, i.URL)
		}
		w.Log.Info().Int64("files", got.Files).Int64("bytes", got.Bytes).Msg(w.Secrets.Hide("fetched " + i.URL.Shown + " to " + i.Path.Shown))
	}
	return nil
}

// noInput is exit code 66.
func noInput(it item.Item, tried, on string) error {
	return &failure.Failure{Code: failure.NoInput, Tried: tried, On: on, Cause: errors.New("it does not exist"),
		Hint: it.Header.What() + " is mapped to an input that isn't there: correct the template or the number of completions"}
}

// stage moves files of this run; a request of it is tried as the policy says.
func (w *Way) stage(p store.Policy, doing string) (*stage.Stage, *progress) {
	moving := w.progress(doing)
	return &stage.Stage{Stores: w.Stores, Mover: &transfer.Mover{Policy: p, Retrying: w.Retrying, Moved: moving.moved}}, moving
}

// What a stream holds in memory, apart from the files' own mover: a command takes and gives
// one piece after the other, and has stdin and stdout at the same time.
const (
	streamAtOnce = 3
	streamPart   = 5 << 20 // the least that S3 takes, in bytes
	streamRead   = 8 << 20
)

func (w *Way) stream(p store.Policy, size int) *transfer.Mover {
	return &transfer.Mover{AtOnce: streamAtOnce, PartSize: size, Policy: p, Retrying: w.Retrying}
}

// openStdin finds the object that the command is to read. It is read as the command reads,
// also after a stop signal, for the command may go on.
func (w *Way) openStdin(ctx context.Context, it item.Item, in *Inputs) error {
	url := it.Places.Stdin
	const tried = "read --stdin"
	s, key, err := w.Stores.OpenObject(ctx, url.Value)
	if err != nil {
		return itsOwn(err, url)
	}
	var e store.Entry
	err = store.Retry(ctx, w.FirstAccess(), func(ctx context.Context) (err error) {
		e, err = s.Stat(ctx, key)
		return err
	}, w.Retrying)
	switch {
	case err != nil && store.Classify(err) == contract.Absent:
		if err := s.Find(ctx); err != nil { // a volume that isn't mounted yet
			return store.Fail(err, failure.TheServer, tried, url.Shown)
		}
		return noInput(it, tried, url.Shown)
	case err != nil:
		return store.Fail(err, whose(url), tried, url.Shown)
	}
	w.Log.Info().Int64("bytes", e.Size).Msg(w.Secrets.Hide("stdin is " + url.Shown))
	in.Stdin = w.stream(w.FirstAccess(), streamRead).Reader(context.WithoutCancel(ctx), s, e)
	return nil
}

// restore fetches each checkpoint that is there.
func (w *Way) restore(ctx context.Context, d item.Data) error {
	g, progress := w.stage(w.FirstAccess(), "restoring the checkpoint")
	defer progress.end()
	for _, c := range d.Checkpoints {
		got, err := g.Fetch(ctx, stage.Input{URL: c.URL.Value, Path: c.Path.Value, Optional: true})
		switch {
		case errors.Is(err, stage.ErrMissing):
			w.Log.Debug().Msg("no checkpoint")
		case err != nil:
			return itsOwn(err, c.URL)
		default:
			w.Log.Info().Int64("bytes", got.Bytes).Msg(w.Secrets.Hide("restored the checkpoint " + c.URL.Shown + " to " + filepath.Clean(c.Path.Shown)))
		}
	}
	return nil
}
