// Command nth turns any container image into a safe worker of an indexed batch
// job: it is the image's ENTRYPOINT, and runs one index once.
package main

import (
	"os"
	"strings"

	"nth/shim/commands"
	"nth/shim/edge"
	"nth/shim/identity"
	"nth/shim/proc"
	"nth/shim/proc/guard"
)

// Set by the release build; plain `go build` says what the module's version control does.
var (
	version = "dev"
	commit  = "unknown"
)

func main() {
	if os.Args[0] == proc.WatcherName {
		proc.WatcherMain()
		return
	}
	if os.Args[0] == guard.Name {
		guard.Main(os.Args[1:])
		return
	}
	proc.Catch()
	w := commands.World(version)
	os.Exit(commands.Protect(w, func() int { return dispatch(os.Args[1:], w) }))
}

// dispatch takes the very first word for a subcommand if it is one. All else is `nth
// run`, so that no command of a user's is ever taken for one; but where there is neither
// an index nor a container, a person is at the keyboard.
func dispatch(args []string, w edge.World) int {
	first := ""
	if len(args) > 0 {
		first = args[0]
	}
	if first == "run" { // what nearly every start is
		return commands.Run(args[1:], w)
	}
	all := commands.Table("commit " + commit)
	alone := len(args) == 1
	person := os.Getpid() != 1 && !identity.AtHand(w.LookupEnv)
	switch {
	case person && (len(args) == 0 || alone && (first == "-h" || first == "--help")):
		first, args = "help", []string{"help"}
	case alone && (first == "--version" || first == "-v" || first == "-V"):
		first = "version"
	}
	for _, c := range all {
		if c.Word() == first {
			return c.Do(args[1:], w)
		}
	}
	w.Meant = commands.Meant(first, all)
	if person && w.Meant != "" {
		return commands.NotFound(first, w)
	}
	if person && !strings.HasPrefix(first, "-") {
		return commands.Lost(first, w)
	}
	return commands.Run(args, w)
}
