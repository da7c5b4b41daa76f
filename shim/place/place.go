// Package place finds the markers of a Job for commands that look at it from outside:
// where no index runs, and no platform tells one.
package place

import (
	"errors"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/templates"
)

// Markers is what a URL of --markers is expanded with.
type Markers struct {
	URL         string
	Index       *string
	Completions *int64
	Job, JobUID string
	Hostname    string
	RunID       string
	// Usage is how the command is called, Hint what to do about a URL that names the
	// index where there is none.
	Usage, Hint string
}

// Expand gives the URL as a run would have it, and the secrets in it. The index is
// wanted only by a URL that names it. An error is a failure with exit code 64 or 78.
func Expand(m Markers, s templates.Sources) (url string, secrets []string, err error) {
	usage := func(why, hint string) error {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--markers", Cause: errors.New(why), Hint: hint}
	}
	if m.URL == "" {
		return "", nil, usage("it is not given", m.Usage)
	}
	t, err := templates.Parse(m.URL)
	if err != nil {
		return "", nil, &failure.Failure{Code: failure.Usage, Tried: "parse", On: "--markers", Cause: err}
	}
	id, err := identity.Resolve(identity.Settings{Index: m.Index, Completions: m.Completions, Job: m.Job, JobUID: m.JobUID}, s.LookupEnv, m.Hostname)
	switch {
	case err != nil && m.Index != nil:
		return "", nil, err
	case err != nil && t.UsesIndex():
		return "", nil, usage("it depends on the index, and there is none here", m.Hint)
	case err != nil:
		id = identity.Identity{Completions: m.Completions, Attempt: 1, Job: m.Job, JobUID: m.JobUID, Hostname: m.Hostname}
	}
	x, err := t.Expand(templates.Fields{Index: id.Index, RawIndex: id.RawIndex, Completions: id.Completions, Attempt: id.Attempt,
		Job: id.Job, JobUID: id.JobUID, Platform: id.Platform, RunID: m.RunID, Hostname: m.Hostname}, s)
	if err != nil {
		return "", nil, failure.Expansion("--markers", err)
	}
	return x.Text, x.Secrets, nil
}
