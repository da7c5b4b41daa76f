package shard

import (
	"context"
	"errors"
	"syscall"
	"time"

	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/logs"
	"nth/shim/marker"
	"nth/shim/memory"
	"nth/shim/once"
	"nth/shim/output"
	"nth/shim/proc"
)

// resume reads what other runs of this shard have done: earlier ones, and a duplicate
// that works at the same time.
func (sh *shard) resume(ctx context.Context, it item.Item, t *tally) error {
	documents, err := sh.Record.Progress(ctx, sh.Identity.Index)
	if err != nil {
		return err
	}
	sh.tell(it, t, documents)
	if n := t.known().Done.Len(); n > 0 {
		sh.Log.Info().Int64("done", n).Int64("of", sh.Len()).Msg("earlier runs have done a part")
	}
	return nil
}

// tell takes over what documents say.
func (sh *shard) tell(it item.Item, t *tally, documents []marker.Progress) {
	own, others := sh.progress(it, t), 0
	for _, d := range documents {
		switch {
		case d.Broken != nil:
			sh.Log.Warn().Msg("an earlier run's progress can't be read, and isn't counted: " + failure.OneLine(d.Broken.Error()))
		case !d.SameShard(own):
			others++
		}
	}
	if others > 0 {
		sh.Log.Warn().Int("runs", others).Msg("the progress of earlier runs is of another command, file of rows or part of the items, and isn't counted")
	}
	t.learn(own.Union(documents))
}

// items runs the command for each item that is left.
func (sh *shard) items(ctx context.Context, it item.Item, in once.Inputs, t *tally) (once.Outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kept := sh.Output.Begin(sh.Process, logs.Index(sh.Identity.Index, sh.RunID))
	l := &loop{shard: sh, tally: t, in: in, retries: retries{most: sh.Config.Process.Retries}}
	if sh.rows != nil && sh.help == nil {
		go sh.rows.feed(ctx, sh.Start, sh.End, t.before.Done)
	}
	if sh.Config.Markers.RecordStart {
		started := make(chan struct{})
		go func() {
			defer close(started)
			h := it.Header
			h.Log = kept.URL
			sh.Record.Started(h)
		}()
		defer func() { <-started }()
	}
	t.began = time.Now()
	follow := sh.follow(it, t)
	trimming := time.AfterFunc(trimAfter, memory.Trim)
	err := sh.Signals.RunMany(sh.many(ctx, l, kept, cancel))
	trimming.Stop()
	cancel()
	sh.maker.given.Close()
	t.await(sh.Signals.AwaitSettled)
	if err != nil {
		sh.Output.Discard()
	} else {
		sh.Output.End(l.stopped())
	}
	follow()
	sh.help.end()
	if errors.Is(err, proc.ErrStopped) {
		return once.Outcome{}, sh.Stopped("items")
	}
	if err != nil {
		return once.Outcome{}, err
	}
	return sh.outcome(it, in, t, kept)
}

// trimAfter is when a shard counts as a long one, for which memory is given back.
const trimAfter = 2 * time.Second

// many is how the items are run.
func (sh *shard) many(ctx context.Context, l *loop, kept output.Kept, stop func()) proc.Many {
	p := sh.Config.Process
	outside, own := once.Grace(p)
	m := proc.Many{Jobs: sh.Config.AtOnce(), StderrTail: sh.StderrTail(), StopGrace: outside, OwnStopGrace: own, SweepGrace: p.SweepGrace, Timeout: p.Timeout,
		Log: sh.Log, Next: l.next, Ended: l.ended, Stdout: kept.Stdout, Stderr: kept.Stderr}
	m.OnStop = func() {
		stop()
		if kept.OnStop != nil {
			kept.OnStop()
		}
	}
	if l.in.Lease != nil {
		m.Cancel, m.CancelGrace = l.in.Lease.Lost(), l.in.Lease.Grace
	}
	if h := sh.help; h != nil {
		m.Cancel, m.CancelGrace = h.Lost(), h.Grace
	}
	if sh.help != nil || l.retries.most > 0 {
		m.Later = func(idle bool) bool { return l.later(ctx, m.Cancel, idle) }
	}
	return m
}

// loop is what starts items and takes down how they end: proc calls it from one place.
type loop struct {
	*shard
	tally   *tally
	in      once.Inputs
	retries retries
}

// next makes the next command, for a slot; an item that none can be made for has failed.
func (l *loop) next(slot int) (proc.One, bool) {
	for {
		if l.help.over() {
			return proc.One{}, false
		}
		a, ok := l.retries.take()
		if !ok {
			a.row, ok = l.take()
		}
		if !ok && l.retries.most > 0 && !l.retries.nothing && l.tally.broken == nil {
			l.retries.nothing = true
			return proc.One{}, true // what runs may be to be run again
		}
		if !ok || l.in.Held() != nil {
			return proc.One{}, false
		}
		one, err := l.maker.one(a, slot)
		if err == nil {
			l.retries.begin(a)
			if e := l.Log.Debug(); e.Enabled() {
				e.Int64("item", a.number).Msg("item starts")
			}
			return one, true
		}
		if !l.ended(one, &proc.Result{}, err) || l.stopped() {
			return proc.One{}, false
		}
		if l.help != nil && !l.help.has() {
			return proc.One{}, true
		}
	}
}

// settled is as proc tells it, where it matters.
func (sh *shard) settled(ended time.Time) (final bool, by syscall.Signal) {
	if sh.Config.Process.ExitZeroAfterSignal == "done" {
		return true, 0
	}
	return sh.Signals.Settled(ended)
}

func (l *loop) stopped() bool {
	_, stopped := l.Signals.Stopped()
	return stopped
}

// take gives the next item that isn't done.
func (l *loop) take() (row, bool) {
	if l.help != nil {
		return l.help.take()
	}
	if l.rows == nil {
		number := l.tally.next()
		return row{number: number}, number < l.End
	}
	of, err, ok := l.rows.take()
	if err != nil {
		l.tally.broken = err
	}
	return of, ok
}

// ended takes down how an item ended, and tells whether others are to be started.
func (l *loop) ended(one proc.One, res *proc.Result, err error) bool {
	var outcome string
	var why *failure.Failure
	if err != nil {
		why = failure.From(err)
	} else {
		outcome, why = once.Judge(l.Config.Markers, l.Config.Process, res)
	}
	if e := l.Log.Debug(); e.Enabled() {
		e.Int64("item", one.Item).Int("exit_code", res.ExitCode).Msg("item ended")
	}
	a := l.retries.ended(one.Item)
	t := l.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(one.Item).ended(res)
	t.settleLate()
	switch {
	case why == nil:
		t.endedWell(lately{one.Item, outcome, res.Ended})
		return true
	case err == nil && (res.Stop != 0 || l.in.Held() != nil || l.help.over()):
		return false // the signal, or the loss of the claim, has ended it: it is neither done nor failed
	}
	if err == nil && l.again(a, why, res) {
		return true
	}
	why = once.AfterRetries(why, a.n)
	t.of(one.Item).fail(one.Item)
	of := l.rowOf(one)
	if l.help.isOther(one.Item) {
		l.help.failed(of, why)
		return true
	}
	l.failed(of, res, why, err == nil)
	return l.Config.Mapping.KeepGoing
}
