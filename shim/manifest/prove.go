package manifest

import (
	"strings"

	"nth/shim/plan"
)

// prove looks for what the pods will read, as far as that can be seen from here: not what is
// on their volumes. Where an input is missing nothing is printed: exit code 66, as the pods
// would end with; where two indexes have the same output, 78. What is there and may be a mistake
// is a hint.
func (j *job) prove(w World) error {
	if j.NoLook {
		return nil
	}
	c := j.counted()
	reads := len(c.Mapping.Require) > 0 || len(c.Data.Input) > 0 || c.Data.Stdin != ""
	switch {
	case !reads && (len(c.Data.Output) == 0 && c.Data.Stdout == "" || j.Kind != "job" && j.Kind != slurm || strings.HasPrefix(c.Tasks.URL, "file:")):
		return nil
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
	if err := plan.Proved(found, ""); err != nil {
		return err
	}
	for _, line := range append(found.Doubts(), found.Notes()...) {
		j.say("%s", line)
	}
	return nil
}
