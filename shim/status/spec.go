package status

import "nth/shim/flags"

// Spec is what `nth status --help` says.
var Spec = flags.Spec{
	Name: "nth status",
	Line: "what is done, failed, running and missing, and why",
	About: `Tell from a Job's markers, from anywhere, what is done, what failed and why, what is running
and what is missing. It lists, and reads no documents but those of failures. Exit 0 when every
index is done or skipped, 1 when something is not; with --list and --logs 0.`,
	Example: `nth status --markers file:///tmp/markers --completions 5`,
}
