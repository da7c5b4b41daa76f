package local

import (
	"nth/shim/config"
	"nth/shim/flags"
)

// Spec is what `nth local --help` says.
var Spec = flags.Spec{
	Name: "nth local", Args: "[--] COMMAND [ARG...]",
	Line: "run the whole Job on this machine",
	About: `Run the whole Indexed Job on this machine: one nth run for each index, with retries and
the exit-code policy of the manifest. Ctrl-C stops it cleanly, a second one at once; with
--markers, the same command goes on where it stopped. Takes the flags of nth run.`,
	Example: `nth local --completions 5 --markers file:///tmp/markers -- echo 'item <<.Index>>'`,
	Own:     []string{"Local"},
	Common:  []string{"completions", "env", "require", "input", "output", "items", "each", "jobs", "markers", "logs", "tasks", "timeout"},
	Aside:   config.PodFlags,
	Refuses: func(flag string) bool { return config.UseOf(flag, config.ForLocal) == config.Refuses },
}
