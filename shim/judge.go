package shim

import (
	"errors"
	"fmt"
	"slices"

	"nth/shim/failure"
	"nth/shim/marker"
)

// judge decides whether the command's end was success. What it left behind has
// ended by now.
func (r *run) judge() error {
	res := r.result
	own := res.Signal == 0
	switch {
	case res.Cancelled:
		return r.commandFailed(failure.Held, errors.New("stopped, for the task's lease was lost"), "another worker has it by now")
	case res.TimedOut:
		return r.commandFailed(failure.Timeout, fmt.Errorf("stopped after %s", r.Timeout), "give it more with --timeout")
	case own && (slices.Contains(r.DoneExitCodes, res.ExitCode) || slices.Contains(r.SkipExitCodes, res.ExitCode)):
		if res.Stop != 0 && r.ExitZeroAfterSignal != "done" {
			return r.commandFailed(failure.SignalOffset+failure.Code(res.Stop),
				fmt.Errorf("exit code %d after %s was received: not taken for success", res.ExitCode, signalName(res.Stop)),
				"--exit-zero-after-signal=done if the command finishes its work before it ends")
		}
		r.outcome = marker.Done
		if slices.Contains(r.SkipExitCodes, res.ExitCode) {
			r.outcome = marker.Skipped
		}
		return nil
	case !own && res.OOMKilled:
		return r.commandFailed(failure.Code(res.ExitCode), errors.New("killed by "+signalName(res.Signal)+": out of memory"), "give the container more memory")
	case !own:
		return r.commandFailed(failure.Code(res.ExitCode), errors.New("killed by "+signalName(res.Signal)), "")
	case res.ExitCode == 0:
		return r.commandFailed(1, errors.New("exit code 0, which --done-exit-codes doesn't name"), "")
	}
	code, note := failure.Code(res.ExitCode), ""
	if r.ReserveExitCodes && reserved(code) {
		code, note = 1, "nth exits 1 instead: --reserve-exit-codes"
	}
	if res.OOMKilled {
		note = "a process of it was killed: out of memory"
	}
	return r.commandFailed(code, fmt.Errorf("exit code %d", res.ExitCode), note)
}

// reserved tells whether a command's code could be mistaken for one of nth's.
func reserved(c failure.Code) bool {
	return c >= failure.Usage && c <= failure.Setup || c == failure.NotRunnable || c == failure.NotFound
}

func (r *run) commandFailed(code failure.Code, cause error, hint string) error {
	return &failure.Failure{Code: code, Tried: "run", On: r.item.stableCommand[0], Cause: cause, Hint: hint}
}
