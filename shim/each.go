package shim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/proc"
	"nth/shim/store"
)

// resume reads what other runs of this shard have done: earlier ones, and a duplicate
// that works at the same time.
func (r *run) resume() error {
	if r.book == nil {
		return nil
	}
	documents, err := marker.ReadProgress(r.ctx, r.book.Store, r.policy(r.Stores.StoreWait), r.id.Index, r.retrying)
	if err != nil {
		return store.Fail(err, failure.OneIndex, "read the progress of earlier runs", r.mask(r.book.Store.Show(marker.ProgressKey(r.id.Index, "…"))))
	}
	sh := r.shard
	own, others := r.progress(), 0
	for _, d := range documents {
		switch {
		case d.Broken != nil:
			r.log.Warn().Msg("an earlier run's progress can't be read, and isn't counted: " + r.mask(failure.OneLine(d.Broken.Error())))
		case !d.SameShard(own):
			others++
		}
	}
	if others > 0 {
		r.log.Warn().Int("runs", others).Msg("the progress of earlier runs is of another command, manifest or part of the items, and isn't counted")
	}
	sh.before = own.Union(documents)
	if n := sh.before.Done.Len(); n > 0 {
		r.log.Info().Int64("done", n).Int64("of", sh.Len()).Msg("earlier runs have done a part")
	}
	return nil
}

// items runs the command for each item that is left.
func (r *run) items() error {
	sh := r.shard
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	m := proc.Many{Jobs: r.AtOnce(), StderrTail: r.stderrTail(), StopGrace: r.Process.StopGrace, OwnStopGrace: ownStopGrace, SweepGrace: r.Process.SweepGrace, Timeout: r.Process.Timeout,
		Log: r.log, Next: r.nextItem, Ended: r.itemEnded, OnStop: cancel}
	if r.Process.StopGrace > 0 {
		m.OwnStopGrace = r.Process.StopGrace
	}
	if err := r.beginLogOfItems(&m); err != nil {
		return err
	}
	if sh.rows != nil {
		defer sh.rows.m.Close()
		go sh.rows.feed(ctx, r)
	}
	if r.Markers.RecordStart {
		r.recordStart()
		defer func() { <-r.starting }()
	}
	sh.began = time.Now()
	follow := r.follow()
	trimming := time.AfterFunc(trimAfter, trim)
	err := r.signals.RunMany(m)
	trimming.Stop()
	r.endLog(err == nil)
	cancel()
	sh.given.close()
	follow()
	if errors.Is(err, proc.ErrStopped) {
		return r.stoppedBefore("items")
	}
	if err != nil {
		return err
	}
	return r.shardEnd()
}

// nextItem makes the next command; an item that none can be made for has failed.
func (r *run) nextItem() (proc.One, bool) {
	for {
		of, ok := r.shard.take()
		if !ok {
			return proc.One{}, false
		}
		one, err := r.one(of.number, of)
		if err == nil {
			if e := r.log.Debug(); e.Enabled() {
				e.Int64("item", of.number).Msg("item starts")
			}
			return one, true
		}
		if !r.itemEnded(one, &proc.Result{}, err) || r.stopped() {
			return proc.One{}, false
		}
	}
}

func (r *run) stopped() bool {
	_, stopped := r.signals.Stopped()
	return stopped
}

// take gives the next item that isn't done.
func (sh *shard) take() (row, bool) {
	if sh.rows == nil {
		number := sh.before.Done.Next(sh.at)
		sh.at = number + 1
		return row{number: number}, number < sh.End
	}
	of, err, ok := sh.rows.take()
	if err != nil {
		sh.broken = err
	}
	return of, ok
}

// itemEnded takes down how an item ended, and tells whether others are to be started.
func (r *run) itemEnded(one proc.One, res *proc.Result, err error) bool {
	sh := r.shard
	var outcome string
	var why *failure.Failure
	if err != nil {
		why = failure.From(err)
	} else {
		outcome, why = r.verdict(res)
	}
	if e := r.log.Debug(); e.Enabled() {
		e.Int64("item", one.Item).Int("exit_code", res.ExitCode).Msg("item ended")
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.changes++
	sh.used.MaxRSSBytes = max(sh.used.MaxRSSBytes, res.MaxRSS)
	sh.used.UserS += res.User.Seconds()
	sh.used.SystemS += res.System.Seconds()
	if res.Leftovers > 0 {
		sh.left++
	}
	switch {
	case why == nil:
		sh.settle(one.Item, outcome)
		return true
	case err == nil && res.Stop != 0:
		return false // the signal has ended it: it is neither done nor failed
	}
	r.itemFailed(one, res, why, err == nil)
	return r.Mapping.KeepGoing
}

// mostRanges bounds what is remembered of items, in ranges: what isn't is done again.
const mostRanges = 1 << 17

func (sh *shard) settle(item int64, outcome string) {
	sh.settled++
	sh.done.Add(item, mostRanges)
	if outcome == marker.Skipped {
		sh.skips++
		sh.skipped.Add(item, mostRanges)
	}
}

// mostLogged is how many failures of a shard are logged one by one.
const mostLogged = 100

// itemFailed takes down a failure, and tells of it.
func (r *run) itemFailed(one proc.One, res *proc.Result, why *failure.Failure, ran bool) {
	sh := r.shard
	sh.failures++
	sh.failed.Add(one.Item, mostRanges)
	if sh.failures > mostLogged {
		return
	}
	as, err := r.expandItem(fields(r.id, r.RunID), one.Item, row{payload: one.Payload})
	if err != nil {
		as = &item{stableCommand: r.Command, secrets: r.item.secrets}
	}
	if ran {
		why.On = as.stableCommand[0]
	}
	if sh.first == nil {
		sh.first = &itemFailure{item: one.Item, why: why, result: *res, ran: ran, secrets: as.secrets}
	}
	of := &run{Config: r.Config, book: r.book, item: as, result: *res}
	text := of.mask(why.Error())
	if tail := strings.TrimSpace(of.stderr()); tail != "" {
		text += ": " + lastBytes(tail[strings.LastIndexByte(tail, '\n')+1:], maxLine)
	}
	r.log.Error().Int64("item", one.Item).Int("exit_code", int(why.Code)).Str("signal", signalName(res.Signal)).Msg(fmt.Sprintf("item %d: %s", one.Item, text))
	if sh.failures == mostLogged {
		r.log.Error().Int("failures", mostLogged).Msg("further failures are only counted")
	}
}

// maxLine bounds what is logged of a line of stderr, in bytes.
const maxLine = 500

// shardEnd judges the shard. A stop signal that came after the last item changes nothing.
func (r *run) shardEnd() error {
	sh := r.shard
	r.ran = true
	first := sh.first
	if first != nil {
		r.result, r.item.secrets = first.result, first.secrets
	}
	r.result.Started, r.result.Ended = sh.began, time.Now()
	done := sh.before.Done.Len() + sh.settled
	l := r.log.Info().Int64("done", done).Int64("of", sh.Len()).Int64("skipped", sh.before.Skipped.Len()+sh.skips).Int64("failed", sh.failures).
		Float64("duration_s", r.result.Ended.Sub(sh.began).Seconds())
	if sh.left > 0 {
		l = l.Int64("left_processes_behind", sh.left)
	}
	l.Msg("items ended")
	sig, stopped := r.signals.Stopped()
	switch {
	case done == sh.Len():
		return nil
	case stopped:
		r.result.Stop = sig
		hint := "what is done is recorded: the next run goes on with the rest"
		if r.book == nil {
			hint = "without --markers nothing of it is recorded"
		}
		return &failure.Failure{Code: failure.SignalOffset + failure.Code(sig), Tried: "run the items",
			Cause: fmt.Errorf("stopped by %s when %d of %d were done", signalName(sig), done, sh.Len()), Hint: hint}
	case sh.broken != nil:
		return sh.broken
	case first == nil:
		return fmt.Errorf("%d of %d items are done, and none has failed", done, sh.Len())
	}
	f := &failure.Failure{Code: first.why.Code, Tried: "run the items", Cause: fmt.Errorf("%d of %d failed: %s; the first was %d: %w",
		sh.failures, sh.Len(), shortList(sh.failed, maxShown), first.item, first.why)}
	if !r.Mapping.KeepGoing && done+sh.failures < sh.Len() {
		f.Hint = "--keep-going runs the others too"
	}
	return f
}

// Of a list of items, how much is shown in a message and how much is recorded, in bytes.
const (
	maxShown    = 100
	maxRecorded = 2000
)

func shortList(l identity.List, most int) string {
	text := l.Cut(most).String()
	if len(text) <= most && l.Ranges() <= most {
		return text
	}
	text = text[:min(most, len(text))]
	return text[:strings.LastIndexByte(text, ',')+1] + "…"
}

// recordShard writes the marker of a shard whose items are all settled.
func (r *run) recordShard() error {
	if r.book == nil {
		return nil
	}
	sh := r.shard
	m := marker.Marker{Header: r.header, Usage: sh.before.Used.Plus(r.progress().Used), Source: marker.SourceRun, Outcome: marker.Done}
	bounds := *r.header.Shard
	bounds.Skipped = sh.before.Skipped.Len() + sh.skips
	m.Shard = &bounds
	return r.finish(m)
}
