package commands

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"nth/shim/edge"
)

// unreleased is the version of a build that isn't the release's.
const unreleased = "dev"

// World is the process's own surroundings. The version is nth's; of a plain `go build` it
// is what Go knows of the checkout, a tag or a commit.
func World(version string) edge.World {
	hostname, _ := os.Hostname() // without one, the records have none

	if version == unreleased {
		// Without version control Go says "(devel)".
		if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
			version = info.Main.Version
		}
	}
	return edge.World{
		Environ: os.Environ(), LookupEnv: os.LookupEnv, Own: own(),
		Hostname: hostname, Stderr: os.Stderr, Now: time.Now, RunID: edge.NewRunID(), Version: version,
	}
}

// Protect gives the exit code of what is done, or of a panic: that is a failure as any
// other, exit code 70, with the stack behind its line.
func Protect(w edge.World, do func() int) (code int) {
	defer func() {
		if bug := recover(); bug != nil {
			code = refuse(fmt.Errorf("panic: %v", bug), w)
			w.Stderr.Write(debug.Stack())
		}
	}()
	return do()
}
