package manifest

import (
	"errors"
	"strings"

	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/forecast"
	"nth/shim/identity"
)

// count makes of --completions auto a number. Nothing is written: what is still to be
// checked may refuse the Job, and a list that is pinned stays.
func (j *job) count(w World) error {
	if n := j.Index.Completions; n == nil || *n != identity.Auto {
		return nil
	}
	if j.Kind != "job" && j.Kind != slurm {
		return usage("--completions auto", errors.New("each Job of a "+j.Kind+" may find others, and has the number of indexes that is printed here"), "give a number")
	}
	c := j.counted()
	if err := forecast.Count(&c, w.Process, false); err != nil {
		return j.here(err)
	}
	j.auto, j.Index.Completions = true, c.Index.Completions
	return nil
}

// counted is what is counted, by the name of the Job that the pods will be told.
func (j *job) counted() config.Config {
	c := j.Config.Config
	if c.Index.Job == "" {
		c.Index.Job = j.Name
	}
	return c
}

// pin pins the list that was counted, which the pods will find.
func (j *job) pin(w World) error {
	if !j.auto {
		return nil
	}
	return j.here(forecast.Pin(j.counted(), w.Process, j.total))
}

// here adds to an error that it is this machine on which was counted, where the pods have a
// volume.
func (j *job) here(err error) error {
	if err == nil {
		return nil
	}
	f := *failure.From(err)
	for _, at := range []string{j.Tasks.URL, j.Markers.URL} {
		if path, is := strings.CutPrefix(at, "file://"); is && j.under(path) != nil && f.Code != failure.Usage {
			f.Hint = "--completions auto counts on this machine: mount what --volume names at the same path here, or give a number"
		}
	}
	return &f
}
