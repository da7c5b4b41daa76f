package local

import (
	"context"
	"slices"
	"strings"
	"time"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/forecast"
	"nth/shim/place"
	"nth/shim/screen"
	"nth/shim/source"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/templates"
)

// foresee ends with what would end the Job, before anything is started: what the first and
// the last run would refuse, each in its own environment. It tells whether they all do the
// same, which is right, and may not be meant.
func (c *Config) foresee(o Options, p edge.Process) (same bool, err error) {
	run, first, last := c.Config, int64(0), o.Completions-1
	if run.Index.Indexes = ""; len(o.Indexes) > 0 {
		first, last = o.Indexes[0], o.Indexes[len(o.Indexes)-1]
	}
	shared := without(o.Environ, slices.Concat(ownVariables, o.Remove)...)
	f, err := forecast.Here(run, p, func(index int64) func(string) (string, bool) {
		env := append(slices.Clone(shared), told(o.Completions, Attempt{Index: index, Number: 1})...)
		return func(name string) (value string, ok bool) {
			for _, kv := range env { // the last one counts, as for os/exec
				if v, found := strings.CutPrefix(kv, name+"="); found {
					value, ok = v, true
				}
			}
			return value, ok
		}
	}, first, last)
	if err != nil {
		return false, err
	}
	return !f.UsesIndex && o.Total() > 1, nil
}

// patience is how long who is asked beforehand may take to answer: else the runs find out.
const patience = 5 * time.Second

// look tells at once of markers and of a queue that can't be used as they are: credentials
// that are refused, a directory or a container that isn't there. A run tries for a minute,
// for a volume may be mounted late and an identity be known late, and each index would,
// four times. What can't be found out here is left to the runs. The exit code is theirs.
func look(c *config.Config, p edge.Process) error {
	ctx, cancel := context.WithTimeout(context.Background(), min(patience, c.Stores.StoreTimeout))
	defer cancel()
	if err := lookForMarkers(ctx, c, p); err != nil {
		return err
	}
	return source.Denied(ctx, *c, p)
}

// markers opens the store of the markers; nil: it isn't known here, or there is none.
func markers(ctx context.Context, c *config.Config, p edge.Process) *store.Store {
	t, err := templates.ParseURL(c.Markers.URL)
	if err != nil || c.Markers.URL == "" || t.UsesIndex() {
		return nil
	}
	s, err := place.Open(ctx, place.Markers{URL: c.Markers.URL, Completions: c.Index.Completions, Job: c.Index.Job, JobUID: c.Index.JobUID}, p)
	if err != nil {
		return nil
	}
	return s
}

// makeMarkers makes the directory of the markers, if it has one, when nothing refuses the Job
// any more: that it can't be made is told once, and not by each index.
func makeMarkers(c *config.Config, p edge.Process) error {
	ctx, cancel := context.WithTimeout(context.Background(), min(patience, c.Stores.StoreTimeout))
	defer cancel()
	s := markers(ctx, c, p)
	if s == nil {
		return nil
	}
	defer s.Close()
	s.OnMade(func() {
		if !strings.Contains(c.Markers.URL, makes) {
			screen.Tell(p.Stderr, "nth local: %s is not there yet: it is made, and nothing counts as done", s.Show(""))
		}
	})
	if err := s.Make(ctx); err != nil && ctx.Err() == nil { // what takes so long is the runs' to wait for
		return store.Fail(err, failure.TheJob, "make the directory of --markers", s.Show(""))
	}
	return nil
}

func lookForMarkers(ctx context.Context, c *config.Config, p edge.Process) error {
	s := markers(ctx, c, p)
	if s == nil {
		return nil
	}
	defer s.Close()
	_, err := s.Exists(ctx, "done/0.json")
	f := store.Fail(err, failure.TheJob, "look for markers in", s.Show(""))
	switch kind := store.Classify(err); {
	case err == nil:
		return nil
	case kind == contract.Denied:
	case kind == contract.Unreachable && strings.HasPrefix(c.Markers.URL, "file:"):
		if strings.Contains(f.Hint, makes) {
			f.Hint = "to have it made: --markers " + templates.Quote(withParameter(c.Markers.URL, makes))
		}
	case kind == contract.Unreachable && strings.HasPrefix(f.Hint, "create the "): // bucket or container: the store knows of none
	default:
		return nil
	}
	return f
}

// makes is the parameter of a URL that has directories made.
const makes = "create_dir=true"

func withParameter(url, parameter string) string {
	if strings.Contains(url, "?") {
		return url + "&" + parameter
	}
	return url + "?" + parameter
}
