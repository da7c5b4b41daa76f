package shim

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"nth/shim/failure"
	"nth/shim/proc"
)

const (
	defaultStderrTail = 4096    // bytes
	maxStderrTail     = 1 << 20 // bytes: it is held in memory and in one record
	// ownStopGrace bounds a stop that nth itself begins, where no platform will.
	ownStopGrace = 30 * time.Second
	// trimAfter is when a command counts as a long one, for which memory is given back.
	trimAfter = 2 * time.Second
)

func (r *run) command() error {
	give, err := r.payload()
	if err != nil {
		return err
	}
	defer give.close()
	command := proc.Command{
		Args: r.item.command,
		// What the user set with --env wins over what nth sets.
		Env:    overlay(overlay(r.id.Environment(r.Environ, r.Own, r.RunID), give.env), r.item.env),
		Drain:  r.Tasks.Drain,
		Cancel: r.lost, Stdin: give.stdin, Extra: give.extra,
		StderrTail: r.stderrTail(),
		StopGrace:  r.Process.StopGrace, OwnStopGrace: ownStopGrace, SweepGrace: r.Process.SweepGrace, Timeout: r.Process.Timeout,
		Log: r.log,
	}
	if err := r.beginLog(&command); err != nil {
		return err
	}
	if r.Markers.RecordStart {
		command.OnStart = r.recordStart
	}
	if r.Process.StopGrace > 0 {
		command.OwnStopGrace = r.Process.StopGrace
	}
	if r.book != nil && (r.worker == nil || r.worker.settled == 0) {
		r.book.Store.Idle() // no connection is held while the command works for hours
	}
	r.log.Info().Msg("command starts")
	trimming := time.AfterFunc(trimAfter, func() {
		if r.book != nil { // of tasks that take a moment, each would connect anew
			r.book.Store.Idle()
		}
		trim()
	})
	result, err := r.signals.Run(command)
	trimming.Stop()
	if r.starting != nil {
		<-r.starting
	}
	r.endLog(err == nil)
	if err != nil {
		return err
	}
	r.result, r.ran = result, true
	r.log.Info().Int("exit_code", result.ExitCode).Str("signal", signalName(result.Signal)).
		Float64("duration_s", result.Ended.Sub(result.Started).Seconds()).Int64("max_rss_bytes", result.MaxRSS).
		Int("leftovers", result.Leftovers).Msg("command ended")
	return nil
}

// recordStart leaves a trace of an attempt that may be killed outright. It goes
// on while the command runs, and failing changes nothing.
func (r *run) recordStart() {
	r.starting = make(chan struct{})
	go func() {
		defer close(r.starting)
		if err := r.book.WriteStarted(context.Background(), r.header, r.Now().UTC()); err != nil {
			r.log.Warn().Msg("record the start: " + r.said(err))
		}
	}()
}

// stderrTail gives how many bytes of the command's stderr are kept: as many as
// are shown, and enough before them to find a secret that begins there.
func (r *run) stderrTail() int {
	n := 0
	if r.Process.StderrTail != nil {
		n = *r.Process.StderrTail
	} else if r.book != nil || isRegular(r.Messages.TerminationLog) {
		n = defaultStderrTail
	}
	if n == 0 {
		return 0
	}
	return n + r.longestSecret()
}

// stoppedBefore is the end of a run that a stop signal reached before the command existed.
func (r *run) stoppedBefore(step string) error {
	sig, _ := r.signals.Stopped()
	return &failure.Failure{Code: failure.SignalOffset + failure.Code(sig), Tried: "run the command",
		Cause: fmt.Errorf("stopped by %s before it started, at the step %q", signalName(sig), step),
		Hint:  "nothing was run"}
}

func signalName(sig syscall.Signal) string {
	if sig == 0 {
		return ""
	}
	return proc.SignalName(sig)
}
