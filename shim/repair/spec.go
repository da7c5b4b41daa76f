package repair

import "nth/shim/flags"

// ResetSpec is what `nth reset --help` says.
var ResetSpec = flags.Spec{
	Name: "nth reset",
	Line: "forget indexes, so that they run again",
	About: `Forget indexes, so that they run again: delete what is recorded of them, the markers
last. What a living run claims is refused. Exit 0 when all was done, 1 when some were refused.
With --claims nothing is forgotten, and the claims of dead pods are released.`,
	Example: `nth reset --markers file:///tmp/markers --indexes 3,7-9 --dry-run`,
}

// MarkSpec is what `nth mark --help` says.
var MarkSpec = flags.Spec{
	Name: "nth mark",
	Line: "record indexes as done by hand, with a reason",
	About: `Record indexes as done by hand, with a reason: they are not run any more. What has a
marker is left alone, and what a living run claims is refused. Exit 0 when all was done, 1
when some were refused.`,
	Example: `nth mark --markers file:///tmp/markers --indexes 7 --reason 'the file is empty' --dry-run`,
}
