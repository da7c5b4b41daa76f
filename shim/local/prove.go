package local

import (
	"errors"

	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/plan"
	"nth/shim/screen"
)

// prove looks for the inputs before anything is started, and ends with exit code 66, as the
// runs would, where one is missing. What is there and may be a mistake is told.
func (c *Config) prove(p edge.Process) error {
	found, err := plan.Look(&c.Config, p, plan.Machine)
	if err != nil || found == nil {
		return err
	}
	if lacks := found.Lacks(); lacks != "" {
		return &failure.Failure{Code: failure.NoInput, Tried: "look for the inputs", Cause: errors.New(lacks),
			Hint: "correct the template or --completions, or give --no-look: then the others run"}
	}
	for _, line := range append(found.Doubts(), found.Notes()...) {
		screen.Tell(p.Stderr, "nth local: %s", line)
	}
	return nil
}
