package local

import (
	"nth/shim/edge"
	"nth/shim/plan"
	"nth/shim/screen"
)

// prove looks for the inputs before anything is started, and ends with exit code 66, as the
// runs would, where one is missing, and with 78 where indexes have the same output. What is
// there and may be a mistake is told.
func (c *Config) prove(p edge.Process) error {
	found, err := plan.Look(&c.Config, p, plan.Machine)
	if err != nil || found == nil {
		return err
	}
	if err := plan.Proved(found, ": then the others run"); err != nil {
		return err
	}
	for _, line := range append(found.Doubts(), found.Notes()...) {
		screen.Tell(p.Stderr, "nth local: %s", line)
	}
	return nil
}
