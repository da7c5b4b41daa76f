package manifest

import (
	"errors"
	"strings"

	"nth/shim/failure"
	"nth/shim/plan"
)

// prove looks for what the pods will read, as far as that can be seen from here: not what is
// on their volumes. Where an input is missing nothing is printed: exit code 66, as the pods
// would end with. What is there and may be a mistake is a hint.
func (j *job) prove(w World) error {
	if j.NoLook {
		return nil
	}
	c := j.counted()
	if len(c.Mapping.Require) == 0 && len(c.Data.Input) == 0 && c.Data.Stdin == "" {
		return nil
	}
	switch {
	case j.Kind != "job" && j.Kind != slurm:
		j.say("the inputs aren't looked for: each Job of a %s may have others", j.Kind)
		return nil
	case strings.HasPrefix(c.Tasks.URL, "file:") && !j.auto && j.Kind != slurm:
		j.say("the inputs aren't looked for: --tasks is on the pods' volume")
		return nil
	}
	c.Index.Indexes, c.Index.JobUID = j.indexes, anyUID
	at := plan.Pods
	if j.Kind == slurm { // its nodes share their file systems with this machine
		at = plan.Here
	}
	found, err := plan.Look(&c, w.Process, at)
	if err != nil || found == nil {
		return err
	}
	if lacks := found.Lacks(); lacks != "" {
		return &failure.Failure{Code: failure.NoInput, Tried: "look for the inputs", Cause: errors.New(lacks),
			Hint: "correct the template or --completions, or give --no-look"}
	}
	for _, line := range append(found.Doubts(), found.Notes()...) {
		j.say("%s", line)
	}
	return nil
}
