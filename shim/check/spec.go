package check

import "nth/shim/flags"

// Spec is what `nth check --help` says.
var Spec = flags.Spec{
	Name: "nth check",
	Line: "prove that a store keeps its promises, before the Job",
	About: `Prove that a store keeps what nth needs of it, before a Job is started: read, list, create
if absent, replace on condition, copy and delete, with probes under the real prefix that are
removed again. Names the permission that is missing, and tells what the store can serve.
Exit 0 when --markers works, else the exit code that a run would end with.`,
	Example: `nth check --markers file:///tmp/markers`,
}
