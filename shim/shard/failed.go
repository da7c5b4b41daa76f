package shard

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"nth/shim/edge"
	"nth/shim/end"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/marker"
	"nth/shim/once"
	"nth/shim/output"
	"nth/shim/proc"
)

// itemFailure is an item that failed.
type itemFailure struct {
	why      *failure.Failure
	evidence end.Evidence // empty: nth itself failed to run it
}

// mostLogged is how many failures of a shard are logged one by one.
const mostLogged = 100

// maxLine bounds what is logged of a line of stderr, in bytes.
const maxLine = 500

// failed tells of the failure of an item; the tally's lock is held.
func (l *loop) failed(of row, res *proc.Result, why *failure.Failure, ran bool) {
	t := l.tally
	if t.now.failures > mostLogged {
		return
	}
	named := l.named(of)
	scope := l.Secrets.Scope()
	defer scope.End()
	keep := expand.Keeper(scope)
	if t.first == nil {
		keep = l.Secrets // its stderr is told at the end, too
	}
	words, err := l.whole(of, keep)
	if err != nil {
		words = item.Words{StableCommand: l.Config.Command}
	}
	if ran {
		why.On = words.StableCommand[0]
	}
	tail := l.Tail(res)
	if t.first == nil {
		t.first = &itemFailure{why: why}
		if ran {
			t.first.evidence = l.Evidence(res, output.Kept{})
		}
		t.first.evidence.FirstFailed = named
	}
	text := l.Secrets.Hide(why.Error())
	if tail := strings.TrimSpace(tail); tail != "" {
		text += ": " + end.LastBytes(tail[strings.LastIndexByte(tail, '\n')+1:], maxLine)
	}
	l.Log.Error().Int64("item", of.number).Int("exit_code", int(why.Code)).Str("signal", edge.SignalName(res.Signal)).Msg("item " + named + ": " + text)
	if t.now.failures == mostLogged {
		l.Log.Error().Int("failures", mostLogged).Msg("further failures are only counted")
	}
}

// outcome judges the shard. A stop signal that came after the last item changes nothing.
func (sh *shard) outcome(it item.Item, in once.Inputs, t *tally, kept output.Kept) (once.Outcome, error) {
	now, s := time.Now(), t.snapshot()
	done, skipped := sh.done(t, s)
	l := sh.Log.Info().Int64("done", done).Int64("of", sh.Len()).Int64("skipped", skipped).Int64("failed", s.failures).
		Float64("duration_s", now.Sub(t.began).Seconds())
	if s.left > 0 {
		l = l.Int64("left_processes_behind", s.left)
	}
	l.Msg("items ended")
	if done == sh.Len() {
		bounds := *it.Header.Shard
		bounds.Skipped = skipped
		return once.Outcome{As: marker.Done, Shard: &bounds, Evidence: end.Evidence{Judged: true, Log: kept.URL, Usage: t.before.Used.Plus(t.used(s, now))}}, nil
	}
	var known end.Evidence
	if t.first != nil {
		known = t.first.evidence
	}
	known.Log, known.Usage, known.ItemsFailed = kept.URL, t.used(s, now), shortList(s.failed, maxRecorded)
	sig, stopped := sh.Signals.Stopped()
	if stopped {
		known.Stop = edge.SignalName(sig)
	}
	why := sh.why(in, t, s, done)
	known.LeaseLost = (in.Held() != nil || sh.help.over()) && failure.From(why).Code == failure.Held
	return once.Outcome{}, end.After(why, known)
}

// done is how many of the shard's items are, and how many of those are bad.
func (sh *shard) done(t *tally, s sum) (done, skipped int64) {
	if sh.help != nil { // others may have done what this run has, too
		return identity.Union(t.before.Done, s.done).Len(), identity.Union(t.before.Skipped, s.skipped).Len()
	}
	return t.before.Done.Len() + s.settled, t.before.Skipped.Len() + s.skips
}

// why tells why the shard isn't done.
func (sh *shard) why(in once.Inputs, t *tally, s sum, done int64) error {
	sig, stopped := sh.Signals.Stopped()
	switch {
	case stopped:
		hint := "what is done is recorded: the next run goes on with the rest"
		if !sh.Record.Kept() {
			hint = "without --markers nothing of it is recorded"
		}
		return &failure.Failure{Code: failure.SignalOffset + failure.Code(sig), Tried: "run the items",
			Cause: fmt.Errorf("stopped by %s when %d of %d were done", edge.SignalName(sig), done, sh.Len()), Hint: hint}
	case t.broken != nil:
		return t.broken
	case sh.help.over():
		return &failure.Failure{Code: failure.Held, Tried: "run the items",
			Cause: fmt.Errorf("stopped, for the claim of some of them was lost when %d of %d were done", done, sh.Len()), Hint: "the store couldn't be reached, or this machine stood still: another pod may have them by now, and the next run goes on with the rest"}
	case in.Held() != nil:
		return &failure.Failure{Code: failure.Held, Tried: "run the items",
			Cause: fmt.Errorf("stopped, for the claim was lost when %d of %d were done", done, sh.Len()), Hint: "another pod goes on with the rest, or the store couldn't be reached"}
	case t.first == nil:
		return errors.New("not all items are done, and none has failed")
	}
	f := &failure.Failure{Code: t.first.why.Code, Tried: "run the items", Cause: fmt.Errorf("%d of %d failed: %s; the first was %s: %w",
		s.failures, sh.Len(), shortList(s.failed, maxShown), t.first.evidence.FirstFailed, t.first.why)}
	if !sh.Config.Mapping.KeepGoing && done+s.failures < sh.Len() {
		f.Hint = "--keep-going runs the others too"
	}
	return f
}
