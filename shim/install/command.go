package install

import (
	"errors"

	"nth/shim/failure"
	"nth/shim/flags"
)

// Spec is what `nth install --help` says.
var Spec = flags.Spec{
	Name: "nth install", Args: "DEST",
	Line: "copy this program to a volume that containers share",
	About: `Copy this binary to DEST, a file or an existing directory, such as a volume that
an init container shares: atomically, with mode 0555, as often as you like.`,
	Example: `nth install /tmp/nth`,
}

// Command is `nth install`. An error is a failure with exit code 64 or 73.
func Command(words []string) error {
	if len(words) != 1 {
		return &failure.Failure{Code: failure.Usage, Tried: "install", Cause: errors.New("DEST is not one word"), Hint: "nth install DEST"}
	}
	return Copy(words[0])
}
