package once

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/record"
	"nth/shim/stage"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// keepFailed keeps, for a look, what is there of the outputs of an attempt that failed, and
// of the files that are named. Best effort, and for no longer than a marker is tried to be
// written.
func (w *Way) keepFailed(it item.Item) {
	d := it.Places.Data
	if d.KeepFailed.Value == "" && len(d.Kept) == 0 {
		return
	}
	limit := w.Config.Stores.MarkerTimeout
	if _, stopped := w.Signals.Stopped(); stopped {
		limit = record.Told // the pod is about to end
	}
	w.Begin("keep-failed")
	g, progress := w.stage(w.policy(), "keeping what failed")
	defer progress.end()
	k := &keeping{Way: w, stage: g}
	ctx, cancel := k.within(limit)
	defer cancel()
	if d.KeepFailed.Value != "" {
		k.outputs(ctx, d.KeepFailed, append(append([]item.Output(nil), d.Outputs...), d.Checkpoints...))
	}
	for _, of := range d.Kept {
		k.files(ctx, of)
	}
}

// keeping is one keepFailed.
type keeping struct {
	*Way
	stage *stage.Stage
	last  atomic.Pointer[contract.Error] // what the store said to the last try that is repeated
}

// within gives a context that ends after so long, for the reason for which nothing came of it.
func (k *keeping) within(limit time.Duration) (context.Context, context.CancelFunc) {
	retrying := k.stage.Mover.Retrying
	k.stage.Mover.Retrying = func(err error, wait time.Duration) {
		if e, ok := errors.AsType[*contract.Error](err); ok {
			k.last.Store(e)
		}
		retrying(err, wait)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	timer := time.AfterFunc(limit, func() {
		why := contract.Error{Kind: contract.Unreachable, Cause: errors.New("it took too long")}
		if last := k.last.Load(); last != nil {
			why = *last
		}
		why.Cause = fmt.Errorf("%w; given up after %s", why.Cause, limit)
		cancel(&why)
	})
	return ctx, func() { timer.Stop(); cancel(nil) }
}

// failed tells why something isn't kept. What the end of the time has ended says no more than
// its reason.
func (k *keeping) failed(err error, on string) {
	if _, ok := errors.AsType[*failure.Failure](err); !ok {
		err = store.Fail(err, failure.OneIndex, "upload the files", on)
	}
	k.Log.Warn().Msg(k.Secrets.Hide("keep what failed: " + failure.OneLine(err.Error())))
}

// outputs keeps all that there is of them below a URL, by attempt and by path.
func (k *keeping) outputs(ctx context.Context, url expand.Text, all []item.Output) {
	s, err := k.Stores.Open(ctx, url.Value)
	if err != nil {
		k.failed(store.Of("--keep-failed", err), url.Shown)
		return
	}
	files := 0
	for _, out := range all {
		o, err := stage.Outputs.Collect(ctx, out.Path.Value)
		if errors.Is(err, stage.ErrMissing) {
			continue
		}
		if err == nil {
			_, err = k.stage.Upload(ctx, o, s, func(f stage.File) string { return k.attempt() + "/" + keptName(out.Path.Value, f) })
		}
		if err != nil {
			k.failed(err, s.Show(k.attempt()+"/"))
			continue
		}
		files += len(o.Files)
	}
	if files > 0 {
		k.Log.Info().Int("files", files).Msg(k.Secrets.Hide("what there is of the outputs is kept at " + s.Show(k.attempt()+"/")))
	}
}

// files keeps a file, or what there is in a directory.
func (k *keeping) files(ctx context.Context, of item.Output) {
	o, err := stage.Kept.Collect(ctx, of.Path.Value)
	if errors.Is(err, stage.ErrMissing) {
		k.Log.Info().Msg(k.Secrets.Hide("keep what failed: nothing is at " + of.Path.Shown))
		return
	}
	if err == nil {
		err = k.send(ctx, o, of)
	}
	if err != nil {
		k.failed(err, of.URL.Shown)
		return
	}
	e := k.Log.Info().Int("files", len(o.Files))
	if n := len(o.LeftOut); n > 0 {
		e = e.Int("left_out", n).Str("why", k.Secrets.Hide(failure.OneLine(o.LeftOut[0].Error())))
	}
	e.Msg(k.Secrets.Hide("kept " + of.Path.Shown + " at " + of.URL.Shown))
}

func (k *keeping) send(ctx context.Context, o *stage.Output, of item.Output) error {
	var s *store.Store
	var key string
	var err error
	if of.Dir {
		s, err = k.Stores.Open(ctx, of.URL.Value)
	} else {
		s, key, err = k.Stores.OpenObject(ctx, of.URL.Value)
	}
	if err != nil {
		return store.Of("--keep-failed", err)
	}
	_, err = k.stage.Upload(ctx, o, s, func(f stage.File) string { return key + f.Key })
	return err
}

// keptName is the path of a file as a key: an absolute one without its first slash.
func keptName(declared string, f stage.File) string {
	name := strings.TrimPrefix(path.Clean("/"+declared), "/")
	if f.Key != "" {
		name += "/" + f.Key
	}
	return name
}
