package check

import (
	"nth/shim/edge"
	"nth/shim/place"
)

// expand gives the URL as a run would have it: a check is made where no Job runs yet.
func expand(c Config, p edge.Process) (url string, err error) {
	return place.Expand(place.Markers{URL: c.Markers, Index: c.Index, Completions: c.Completions, Job: c.Job, JobUID: c.JobUID,
		Usage: "nth check --markers URL", Hint: "give one to try with: --index 0"}, p)
}
