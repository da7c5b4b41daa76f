package local

import (
	"context"
	"strings"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/place"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/templates"
)

// look tells at once of a directory for the markers that isn't there: a run asks for a
// minute, for a volume may be mounted late, and each index would. What can't be found out
// here is left to the runs. The exit code is theirs.
func look(c *config.Config, p edge.Process) error {
	t, err := templates.ParseURL(c.Markers.URL)
	if err != nil || t.UsesIndex() || !strings.HasPrefix(c.Markers.URL, "file:") {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.Stores.StoreTimeout)
	defer cancel()
	s, err := place.Open(ctx, place.Markers{URL: c.Markers.URL, Completions: c.Index.Completions, Job: c.Index.Job, JobUID: c.Index.JobUID}, p)
	if err != nil {
		return nil
	}
	defer s.Close()
	if _, err = s.Exists(ctx, "done/0.json"); err == nil || store.Classify(err) != contract.Unreachable {
		return nil
	}
	f := store.Fail(err, failure.TheJob, "look for markers in", s.Show(""))
	if strings.Contains(f.Hint, makes) {
		f.Hint = "to have it made: --markers " + templates.Quote(withParameter(c.Markers.URL, makes))
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
