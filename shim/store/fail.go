package store

import (
	"context"
	"errors"

	"nth/shim/failure"
	"nth/shim/store/contract"
)

// meanings is what each kind of error means for the exit code, by whose matter it is:
// the Job's, one index's, one task's or the server's. 78 stops a whole Job and 65 an
// index for good, so they are only for what no further try changes: what a server says
// in the middle of the work is 69, and what one index or task makes of it is its own.
func meanings() map[contract.Kind][failure.Whoses]failure.Code {
	return map[contract.Kind][failure.Whoses]failure.Code{
		contract.Other:       {failure.Unavailable, failure.Unavailable, failure.Unavailable, failure.Unavailable},
		contract.Absent:      {failure.Unavailable, failure.NoInput, failure.NoInput, failure.Unavailable},
		contract.Exists:      {failure.Unavailable, failure.Unavailable, failure.Unavailable, failure.Unavailable},
		contract.Conflict:    {failure.Unavailable, failure.Unavailable, failure.Unavailable, failure.Unavailable},
		contract.Unreachable: {failure.Unavailable, failure.Unavailable, failure.Unavailable, failure.Unavailable},
		contract.Denied:      {failure.Denied, failure.Denied, failure.Denied, failure.Denied},
		contract.Refused:     {failure.Setup, failure.BadIndex, failure.BadIndex, failure.Unavailable},
		contract.Malformed:   {failure.Setup, failure.BadIndex, failure.BadIndex, failure.Unavailable},
		contract.Unsupported: {failure.Setup, failure.Unavailable, failure.Unavailable, failure.Unavailable},
		contract.NoSuch:      {failure.Setup, failure.BadIndex, failure.BadIndex, failure.Unavailable},
		contract.Invalid:     {failure.Setup, failure.Setup, failure.BadIndex, failure.Unavailable},
		contract.Lost:        {failure.Unavailable, failure.Unavailable, failure.Unavailable, failure.Unavailable},
	}
}

// Fail gives the error of a store, or of a source of tasks, as a failure, whose exit code
// follows from what happened and from whose matter it is.
func Fail(err error, of failure.Whose, tried, on string) *failure.Failure {
	f := &failure.Failure{Code: meanings()[Classify(err)][of], Tried: tried, On: on, Cause: err}
	if e, ok := errors.AsType[*contract.Error](err); ok {
		f.Cause, f.Hint = e.Cause, e.Hint
	} else if errors.Is(err, context.DeadlineExceeded) {
		f.Cause, f.Hint = errors.New("no answer in time"), "--store-timeout is the deadline of one call"
	}
	if f.Code == failure.Unavailable && f.Hint == "" {
		f.Hint = HintUp
	}
	return f
}

// HintUp is for a failure of a store that tells nothing of what to do.
const HintUp = "is the store up, and reachable from here? --store-wait and --marker-timeout say how long it is tried"

// Cause gives what a driver, or the clock, said, without what the layers above have put
// around it.
func Cause(err error) error { return Fail(err, failure.TheServer, "", "").Cause }
