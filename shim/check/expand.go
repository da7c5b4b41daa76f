package check

import (
	"errors"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/templates"
)

// expand gives the URL as a run would have it, and the secrets in it. The index is
// wanted only by a URL that names it, for a check is made where no Job runs yet.
func expand(c Config, w World) (url string, secrets []string, err error) {
	if c.Markers == "" {
		return "", nil, usage("--markers", errors.New("it is not given"), "nth check --markers URL")
	}
	t, err := templates.Parse(c.Markers)
	if err != nil {
		return "", nil, &failure.Failure{Code: failure.Usage, Tried: "parse", On: "--markers", Cause: err}
	}
	id, err := identity.Resolve(identity.Settings{Index: c.Index, Completions: c.Completions, Job: c.Job, JobUID: c.JobUID}, w.Sources.LookupEnv, w.Hostname)
	switch {
	case err != nil && c.Index != nil:
		return "", nil, err
	case err != nil && t.UsesIndex():
		return "", nil, usage("--markers", errors.New("it depends on the index, and there is none here"), "give one to try with: --index 0")
	case err != nil:
		id = identity.Identity{Completions: c.Completions, Attempt: 1, Job: c.Job, JobUID: c.JobUID, Hostname: w.Hostname}
	}
	x, err := t.Expand(templates.Fields{Index: id.Index, RawIndex: id.RawIndex, Completions: id.Completions, Attempt: id.Attempt,
		Job: id.Job, JobUID: id.JobUID, Platform: id.Platform, RunID: w.RunID, Hostname: w.Hostname}, w.Sources)
	if err != nil {
		return "", nil, failure.Expansion("--markers", err)
	}
	return x.Text, x.Secrets, nil
}
