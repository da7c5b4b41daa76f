package once

import (
	"errors"
	"fmt"
	"slices"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/proc"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// Judge tells whether a command's end was success: marker.Done or marker.Skipped, or why it
// wasn't. What it left behind has ended by now.
func Judge(m config.Markers, c config.Process, res *proc.Result) (outcome string, why *failure.Failure) {
	own := res.Signal == 0
	switch {
	case res.Cancelled:
		return "", failed(failure.Held, errors.New("stopped, for the lease was lost"), "another has it by now, or the store couldn't be reached")
	case res.TimedOut:
		return "", failed(failure.Timeout, fmt.Errorf("stopped after %s", c.Timeout), "give it more with --timeout")
	case res.Fed != nil: // however it ended: it never saw an end of its stdin
		return "", failed(streamCode(res.Fed), fmt.Errorf("stopped, for its stdin broke off before its end: %w", res.Fed),
			"it didn't see an end of file; the item can be run again when the source can be read")
	case res.Taken != nil && (own || !errors.Is(res.Taken, proc.ErrUntaken)): // what a signal ended otherwise, is told as that
		return "", failed(streamCode(res.Taken), fmt.Errorf("its stdout couldn't be kept, so it doesn't count: %w", res.Taken),
			"the item can be run again when the destination can be written")
	case res.Unpassed != nil: // however it ended: it may have been by that
		return "", failed(failure.Unavailable, fmt.Errorf("what it wrote to stdout couldn't be passed on: %w", res.Unpassed), "")
	case own && (slices.Contains(m.DoneExitCodes, res.ExitCode) || slices.Contains(m.SkipExitCodes, res.ExitCode)):
		if res.Stop != 0 && c.ExitZeroAfterSignal != "done" {
			return "", failed(failure.SignalOffset+failure.Code(res.Stop),
				fmt.Errorf("exit code %d after %s was received: not taken for success", res.ExitCode, edge.SignalName(res.Stop)),
				"--exit-zero-after-signal=done if the command finishes its work before it ends")
		}
		if slices.Contains(m.SkipExitCodes, res.ExitCode) {
			return marker.Skipped, nil
		}
		return marker.Done, nil
	case !own && res.OOMKilled:
		return "", failed(failure.Code(res.ExitCode), errors.New("killed by "+edge.SignalName(res.Signal)+": out of memory"), "give the container more memory")
	case !own:
		return "", failed(failure.Code(res.ExitCode), errors.New("killed by "+edge.SignalName(res.Signal)), "")
	case res.ExitCode == 0:
		return "", failed(1, errors.New("exit code 0, which --done-exit-codes doesn't name"), "")
	}
	code, note := failure.Code(res.ExitCode), ""
	if c.ReserveExitCodes && reserved(code) {
		code, note = 1, "nth exits 1 instead: --reserve-exit-codes"
	}
	if res.OOMKilled {
		note = "a process of it was killed: out of memory"
	}
	return "", failed(code, fmt.Errorf("exit code %d", res.ExitCode), note)
}

// streamCode is the exit code for a stream that ended early: a store that refuses may do so for
// the object alone, when it is read or written, and not before.
func streamCode(err error) failure.Code {
	if store.Classify(err) == contract.Denied {
		return failure.Denied
	}
	return failure.Unavailable
}

// reserved tells whether a command's code could be mistaken for one of nth's.
func reserved(c failure.Code) bool {
	return c >= failure.Usage && c <= failure.Setup || c == failure.NotRunnable || c == failure.NotFound
}

func failed(code failure.Code, cause error, hint string) *failure.Failure {
	return &failure.Failure{Code: code, Tried: "run", Cause: cause, Hint: hint}
}
