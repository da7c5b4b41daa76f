package config

import "nth/shim/flags"

// PodFlags is the group of flags that say what a pod isn't told by itself.
const PodFlags = "Set by nth manifest"

// Spec is what `nth run --help` says.
var Spec = flags.Spec{
	Name: "nth run", Args: "[--] COMMAND [ARG...]",
	Line: "run one index: what an image's ENTRYPOINT calls",
	About: `Run one index of a batch job: expand the << >> templates of the command, skip it if
its completion marker exists, run it as PID 1 should, and write the marker on success.`,
	Example: `JOB_COMPLETION_INDEX=3 nth run --markers file:///tmp/markers -- echo 'item <<.Index>>'`,
	Common: []string{"index", "completions", "env", "require", "input", "output", "items", "each", "markers", "logs", "tasks",
		"timeout", "stop-grace", "log-level"},
	Aside: PodFlags,
}
