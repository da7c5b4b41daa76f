package once

import (
	"context"
	"io/fs"
	"sync"
	"time"

	"nth/shim/commit"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/proc"
	"nth/shim/record"
	"nth/shim/stage"
	"nth/shim/store"
)

// checkpoints keep files of a command while it works, so that the next attempt can go on
// from there. Nil: there are none. That one can't be kept changes nothing.
type checkpoints struct {
	*Way
	list []item.Output
	note *commit.Item  // says where they are; nil: it has
	kept []fs.FileInfo // as each was when it was last uploaded
	now  chan struct{} // there is a stop signal: upload at once
	quit chan struct{}
	done sync.WaitGroup
}

func (w *Way) checkpoints(it item.Item) *checkpoints {
	list := it.Places.Checkpoints
	if len(list) == 0 {
		return nil
	}
	return &checkpoints{Way: w, list: list, note: w.committing(it), kept: make([]fs.FileInfo, len(list)), now: make(chan struct{}, 1), quit: make(chan struct{})}
}

// begin keeps them from the command's start on.
func (c *checkpoints) begin(command *proc.Command) {
	if c == nil {
		return
	}
	for n := range c.list {
		c.kept[n], _ = c.Stat(context.Background(), c.list[n].Path.Value) // what was restored is kept already
	}
	onStop := command.OnStop
	command.OnStop = func() {
		if onStop != nil {
			onStop()
		}
		select {
		case c.now <- struct{}{}:
		default:
		}
	}
	c.done.Go(c.keep)
}

// keep uploads them every so often, and when the command is to stop: it may not live to
// write a newer one.
func (c *checkpoints) keep() {
	tick := time.NewTicker(c.Config.Data.CheckpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.quit:
			return
		case <-tick.C:
		case <-c.now:
		}
		c.upload()
	}
}

// end is for when the command has ended. What was stopped has perhaps left its last word.
func (c *checkpoints) end(stopped bool) {
	if c == nil {
		return
	}
	close(c.quit)
	c.done.Wait()
	if stopped {
		c.upload()
	}
}

// upload uploads those that have changed since.
func (c *checkpoints) upload() {
	g, progress := c.stage(c.policy(), "keeping the checkpoint")
	defer progress.end()
	for n, of := range c.list {
		now, err := c.Stat(context.Background(), of.Path.Value)
		if err != nil || c.kept[n] != nil && stage.Same(c.kept[n], now) {
			continue
		}
		err = c.noted()
		if err == nil {
			err = c.one(g, of)
		}
		if err != nil {
			c.Log.Warn().Msg(c.Secrets.Hide("keep the checkpoint " + failure.OneLine(err.Error())))
			continue
		}
		c.kept[n] = now
		c.Log.Info().Int64("bytes", now.Size()).Msg(c.Secrets.Hide("kept the checkpoint " + of.Path.Shown + " at " + of.URL.Shown))
	}
}

// noted says beside the markers where they are, before the first of them is there.
func (c *checkpoints) noted() error {
	if c.note == nil {
		return nil
	}
	err := c.note.NoteCheckpoints(context.Background())
	if err == nil {
		c.note = nil
	}
	return err
}

func (c *checkpoints) one(g *stage.Stage, of item.Output) error {
	ctx := context.Background()
	o, err := stage.Checkpoints.Collect(ctx, of.Path.Value)
	if err != nil {
		return err
	}
	s, key, err := c.Stores.OpenObject(ctx, of.URL.Value)
	if err != nil {
		return store.Of("--checkpoint", err)
	}
	_, err = g.Upload(ctx, o, s, func(stage.File) string { return key })
	return err
}

// forget deletes the checkpoints of an item that is settled: nobody goes on from there. Best
// effort: each later start of the item does it too.
func (w *Way) forget(it item.Item, failed error) {
	if failed != nil || len(it.Places.Checkpoints) == 0 {
		return
	}
	kept := false
	for _, c := range it.Places.Checkpoints {
		ctx := context.Background()
		s, key, err := w.Stores.OpenObject(ctx, c.URL.Value)
		if err == nil {
			p := w.policy()
			p.Window = record.Told
			err = store.Retry(ctx, p, func(ctx context.Context) error { return s.Remove(ctx, key) }, nil)
		}
		if err != nil {
			kept = true
			w.Log.Warn().Msg(w.Secrets.Hide("delete the checkpoint " + c.URL.Shown + ": " + w.Said(err)))
		}
	}
	if kept {
		return
	}
	if err := w.committing(it).ForgetCheckpoints(context.Background()); err != nil {
		w.Log.Warn().Msg(w.Said(err))
	}
}
