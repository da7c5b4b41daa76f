package check

import "nth/shim/place"

// expand gives the URL as a run would have it, and the secrets in it: a check is made
// where no Job runs yet.
func expand(c Config, w World) (url string, secrets []string, err error) {
	return place.Expand(place.Markers{URL: c.Markers, Index: c.Index, Completions: c.Completions, Job: c.Job, JobUID: c.JobUID,
		Hostname: w.Hostname, RunID: w.RunID, Usage: "nth check --markers URL", Hint: "give one to try with: --index 0"}, w.Sources)
}
