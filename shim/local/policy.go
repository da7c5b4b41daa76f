package local

import "nth/shim/failure"

// action is what a failed attempt means for its index and for the Job, as in a
// pod failure policy.
type action int

const (
	count     action = iota // a failure among others: retried up to the limit
	failIndex               // no further try of this index
	failJob                 // no further try of anything
)

// actionOf gives the action for an exit code, from the table of exit codes that
// the manifest is made of too.
func actionOf(code int) action {
	for _, m := range failure.Meanings {
		if int(m.Code) != code {
			continue
		}
		switch m.Policy {
		case "FailJob":
			return failJob
		case "FailIndex":
			return failIndex
		}
	}
	return count
}
