package once

import (
	"context"
	"strings"
	"time"

	"nth/shim/edge"
	"nth/shim/end"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/logs"
	"nth/shim/marker"
	"nth/shim/memory"
	"nth/shim/output"
	"nth/shim/payload"
	"nth/shim/proc"
	"nth/templates"
)

const (
	defaultStderrTail = 4096     // bytes
	searchedTail      = 16 << 10 // for the line that says why
	// ownStopGrace bounds a stop that nth itself begins, where no platform will.
	ownStopGrace = 30 * time.Second
	// trimAfter is when a command counts as a long one, for which memory is given back.
	trimAfter = 2 * time.Second
)

// Command is the work of an item that has one command.
type Command struct {
	*Way
	Lost  <-chan struct{} // closed: somebody else works at the item by now; nil: nobody can
	Drain time.Duration
}

// Do runs the command, ends what it leaves behind, and judges it.
func (c Command) Do(ctx context.Context, it item.Item, in Inputs) (Outcome, error) {
	if err := c.Step(ctx, "command"); err != nil {
		return Outcome{}, err
	}
	if err := in.Held(); err != nil {
		return Outcome{}, err
	}
	ended, err := c.run(it, in)
	if err != nil {
		return Outcome{}, err
	}
	c.Begin("judge")
	as, failed := Judge(c.Config.Markers, c.Config.Process, ended.result)
	ended.evidence.Judged = failed == nil || ended.result.Unpassed != nil // nth's own failure, not the item's
	if failed != nil {
		failed.On = it.Words.StableCommand[0]
		return Outcome{}, end.After(failed, ended.evidence)
	}
	return Outcome{As: as, ExitCode: ended.result.ExitCode, Evidence: ended.evidence}, nil
}

// ended is a command that ran.
type ended struct {
	result   *proc.Result
	evidence end.Evidence
}

// run gives the result of the command, whatever it is. An error is a failure: there was
// none.
func (c Command) run(it item.Item, in Inputs) (ended, error) {
	given, err := give(it, c.Config.Tasks.TaskStdin)
	if err != nil {
		return ended{}, err
	}
	defer given.Close()
	kept := c.Output.Begin(c.Process, c.logName(it))
	command := c.command(it, given, kept)
	if command.Feed = in.Stdin; in.Stdout != nil {
		command.Take, command.TakeGrace = in.Stdout, c.Config.Stores.MarkerTimeout
	}
	if in.Lease != nil {
		command.Cancel, command.CancelGrace = in.Lease.Lost(), in.Lease.Grace
	}
	started := make(chan struct{})
	close(started)
	if c.Config.Markers.RecordStart {
		started = make(chan struct{})
		command.OnStart = func() { // it goes on while the command runs
			go func() {
				defer close(started)
				h := it.Header
				h.Log = kept.URL
				c.Record.Started(h)
			}()
		}
	}
	if c.Nth == 0 && c.Among == nil {
		c.Record.Idle() // no connection is held while the command works for hours
	}
	in.Checkpoints.begin(&command)
	c.Log.Info().Msg("command starts")
	trimming := time.AfterFunc(trimAfter, func() {
		if c.Among == nil {
			c.Record.Idle() // of tasks that take a moment, each would connect anew
		}
		memory.Trim()
	})
	result, err := c.Signals.Run(command)
	trimming.Stop()
	in.Checkpoints.end(err == nil && !result.Cancelled && (result.Stop != 0 || result.TimedOut)) // a lost lease's are another's
	if err != nil {
		c.Output.Discard()
		return ended{}, c.Hint(err)
	}
	<-started
	_, stopped := c.Signals.Stopped()
	c.Output.End(stopped)
	c.Log.Info().Int("exit_code", result.ExitCode).Str("signal", edge.SignalName(result.Signal)).
		Float64("duration_s", result.Ended.Sub(result.Started).Seconds()).Int64("max_rss_bytes", result.MaxRSS).
		Int("leftovers", result.Leftovers).Msg("command ended")
	return ended{&result, c.Evidence(&result, kept)}, nil
}

func (c Command) command(it item.Item, given payload.Given, kept output.Kept) proc.Command {
	p := c.Config.Process
	outside, own := Grace(p)
	// What the user set with --env wins over what nth sets.
	env := c.Identity.Environment(c.Environ, c.Own, c.RunID)
	if p.Retries > 0 {
		env = append(env, identity.RetryVariable(c.Retry))
	}
	env = Overlay(Overlay(env, given.Env), it.Words.Env)
	command := proc.Command{
		Args: it.Words.Command, Env: env, Drain: c.Drain, Cancel: c.Lost, Stdin: given.Stdin, Extra: given.Extra,
		StderrTail: c.StderrTail(), StopGrace: outside, OwnStopGrace: own, SweepGrace: p.SweepGrace, Timeout: p.Timeout,
		OnStop: kept.OnStop, Log: c.Log,
	}
	command.Out, command.Err = c.Outputs()
	if kept.Stdout != nil && it.Places.Stdout.Value == "" {
		command.Stdout = kept.Stdout()
	}
	if kept.Stderr != nil {
		command.Stderr = kept.Stderr()
	}
	return command
}

// logName names the log of this attempt at an item.
func (c Command) logName(it item.Item) string {
	if t := it.Header.Task; t != nil {
		return logs.Task(t.Key, c.RunID, c.Nth+1, strings.HasPrefix(it.Places.Logs.Value, "file:")) + c.again()
	}
	return logs.Index(it.Header.Index, c.RunID) + c.again()
}

// give hands an item's payload over, if its kind has one.
func give(it item.Item, stdin bool) (g payload.Given, err error) {
	if !it.Kind.HasPayload() {
		return g, nil
	}
	g, err = payload.Give(it.Payload, stdin)
	if it.Kind == templates.TaskItem {
		g.Env = append(g.Env, payload.ID(it.ID))
	}
	return g, err
}

// Evidence is what is told of a command that ended.
func (w *Way) Evidence(res *proc.Result, kept output.Kept) end.Evidence {
	e := end.Evidence{Usage: usage(res), Log: kept.URL, Retries: w.Retry, Stderr: w.Tail(res),
		Signal: edge.SignalName(res.Signal), Stop: edge.SignalName(res.Stop), TimedOut: res.TimedOut, LeaseLost: res.Cancelled, OOMKilled: res.OOMKilled}
	if res.Signal == 0 {
		code := res.ExitCode // a shard's result is the next item's soon
		e.Code = &code
	}
	return e
}

func usage(res *proc.Result) marker.Usage {
	return marker.Usage{
		Started: res.Started.UTC(), Finished: res.Ended.UTC(), DurationS: res.Ended.Sub(res.Started).Seconds(),
		MaxRSSBytes: res.MaxRSS, UserS: res.User.Seconds(), SystemS: res.System.Seconds(),
	}
}

// shownTail is how many bytes of a command's stderr are shown.
func (w *Way) shownTail() int {
	if n := w.Config.Process.StderrTail; n != nil {
		return *n
	}
	if w.Record.Kept() || w.Ending.Asked() {
		return defaultStderrTail
	}
	return 0
}

// StderrTail gives how many bytes of a command's stderr are kept: as many as are shown, enough
// before them to find a secret that begins there, and, where a stack is longer, why it is there.
func (w *Way) StderrTail() int {
	if n := w.shownTail(); n > 0 {
		return max(n, searchedTail) + w.Secrets.Longest()
	}
	return 0
}

// Tail gives the end of a command's stderr, as it may be shown.
func (w *Way) Tail(res *proc.Result) string {
	return end.Tail(res.Stderr, res.StderrTruncated, w.shownTail(), w.Secrets)
}
