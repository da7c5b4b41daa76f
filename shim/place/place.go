// Package place finds the markers of a Job for commands that look at it from outside:
// where no index runs, and no platform tells one.
package place

import (
	"context"
	"errors"
	"time"

	"nth/shim/edge"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/store"
	"nth/templates"
)

// Markers is what a URL of --markers is expanded with.
type Markers struct {
	URL         string
	Index       *string
	Completions *int64
	Job, JobUID string
	// Usage is how the command is called, Hint what to do about a URL that names the
	// index where there is none.
	Usage, Hint string
}

// Open opens the store at the URL, without asking it anything. An error is a failure with
// exit code 64 or 78.
func Open(ctx context.Context, m Markers, p edge.Process) (*store.Store, error) {
	url, err := Expand(m, p)
	if err != nil {
		return nil, err
	}
	s, err := p.Stores.Open(ctx, url)
	return s, store.Of("--markers", err)
}

// Find opens the store at the URL, and refuses one whose directory isn't there: to who only
// looks it would be a Job of which nothing is done. A call to it may take this long. With
// the error of a store that may yet appear comes the store. It is a failure with exit code
// 64, 69, 77 or 78.
func Find(ctx context.Context, m Markers, p edge.Process, call time.Duration) (*store.Store, error) {
	s, err := Open(ctx, m, p)
	if err != nil {
		return nil, err
	}
	return s, There(ctx, s, call)
}

// There tells whether the directory of a store is there, if it has one.
func There(ctx context.Context, s *store.Store, call time.Duration) error {
	err := store.Retry(ctx, store.Policy{PerCall: call}, s.Find, nil)
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*failure.Failure](err); ok { // a signal's
		return f
	}
	return store.Fail(err, failure.TheJob, "look into", s.Show(""))
}

// Expand gives the URL as a run would have it; the secrets in it are the process's. The
// index is wanted only by a URL that names it. An error is a failure with exit code 64, 65
// or 78.
func Expand(m Markers, p edge.Process) (url string, err error) {
	usage := func(why, hint string) error {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--markers", Cause: errors.New(why), Hint: hint}
	}
	if m.URL == "" {
		return "", usage("it is not given", m.Usage)
	}
	t, err := templates.ParseURL(m.URL)
	if err != nil {
		return "", &failure.Failure{Code: failure.Usage, Tried: "parse", On: "--markers", Cause: err}
	}
	s := identity.Settings{Index: m.Index, Completions: m.Completions, Job: m.Job, JobUID: m.JobUID}
	id, err := identity.Resolve(s, p.LookupEnv, p.Hostname)
	switch {
	case err != nil && m.Index != nil:
		return "", err
	case err != nil && t.UsesIndex():
		return "", usage("it depends on the index, and there is none here", m.Hint)
	case err != nil:
		id = identity.Outside(s, p.Hostname)
	}
	x := &expand.Expander{Fields: expand.Fields(id, p.RunID), Sources: p.Sources(), Secrets: p.Secrets}
	where := x.Text("--markers", t)
	return where.Value, x.Err
}
