package shim

import (
	"errors"
	"fmt"
	"slices"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/proc"
)

// judge decides whether the command's end was success. What it left behind has
// ended by now.
func (r *run) judge() error {
	outcome, failed := r.verdict(&r.result)
	if failed != nil {
		failed.On = r.item.stableCommand[0]
		return failed
	}
	r.outcome = outcome
	return nil
}

// verdict tells how a command's end is taken.
func (r *run) verdict(res *proc.Result) (outcome string, failed *failure.Failure) {
	own := res.Signal == 0
	switch {
	case res.Cancelled:
		return "", commandFailed(failure.Held, errors.New("stopped, for the task's lease was lost"), "another worker has it by now")
	case res.TimedOut:
		return "", commandFailed(failure.Timeout, fmt.Errorf("stopped after %s", r.Process.Timeout), "give it more with --timeout")
	case own && (slices.Contains(r.Markers.DoneExitCodes, res.ExitCode) || slices.Contains(r.Markers.SkipExitCodes, res.ExitCode)):
		if res.Stop != 0 && r.Process.ExitZeroAfterSignal != "done" {
			return "", commandFailed(failure.SignalOffset+failure.Code(res.Stop),
				fmt.Errorf("exit code %d after %s was received: not taken for success", res.ExitCode, signalName(res.Stop)),
				"--exit-zero-after-signal=done if the command finishes its work before it ends")
		}
		if slices.Contains(r.Markers.SkipExitCodes, res.ExitCode) {
			return marker.Skipped, nil
		}
		return marker.Done, nil
	case !own && res.OOMKilled:
		return "", commandFailed(failure.Code(res.ExitCode), errors.New("killed by "+signalName(res.Signal)+": out of memory"), "give the container more memory")
	case !own:
		return "", commandFailed(failure.Code(res.ExitCode), errors.New("killed by "+signalName(res.Signal)), "")
	case res.ExitCode == 0:
		return "", commandFailed(1, errors.New("exit code 0, which --done-exit-codes doesn't name"), "")
	}
	code, note := failure.Code(res.ExitCode), ""
	if r.Process.ReserveExitCodes && reserved(code) {
		code, note = 1, "nth exits 1 instead: --reserve-exit-codes"
	}
	if res.OOMKilled {
		note = "a process of it was killed: out of memory"
	}
	return "", commandFailed(code, fmt.Errorf("exit code %d", res.ExitCode), note)
}

// reserved tells whether a command's code could be mistaken for one of nth's.
func reserved(c failure.Code) bool {
	return c >= failure.Usage && c <= failure.Setup || c == failure.NotRunnable || c == failure.NotFound
}

func commandFailed(code failure.Code, cause error, hint string) *failure.Failure {
	return &failure.Failure{Code: code, Tried: "run", Cause: cause, Hint: hint}
}
