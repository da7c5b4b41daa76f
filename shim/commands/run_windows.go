package commands

import (
	"errors"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/help"
	"nth/shim/screen"
)

// Run is `nth run`, and every command line that names no subcommand: it refuses, for what a
// command needs that is run once and whole is of Unix.
func Run(args []string, w edge.World) int {
	_, _, err := flags.Parse(config.Spec, new(config.Config), args)
	switch {
	case errors.Is(err, flags.ErrHelp):
		return 0
	case err != nil:
		return refuse(Whose(err, config.Spec.Name), w)
	}
	return refuse(&failure.Failure{Code: failure.Setup, Tried: "run a command", Cause: errors.New("nth for Windows runs none"),
		Hint: "plan, check, manifest, status, wait, reset and mark are for a Job that runs on Linux; its image takes nth for Linux"}, w)
}

// onThisMachine is nth local, which refuses as Run does.
func onThisMachine() Command {
	return Command{help.Command{Spec: flags.Spec{Name: "nth local", Args: config.Spec.Args, Line: "not on Windows: run the whole Job on this machine",
		About: "Run the whole Job on this machine: not on Windows.", Example: "nth local --help"}, Flags: none}, nil}
}

// own tells which variables no command of a user's is to see.
func own() func(name string) bool { return flags.Hidden(config.Config{}) }

// refuse tells of a failure, and gives its exit code.
func refuse(err error, w edge.World) int {
	f := failure.From(err)
	screen.Tell(w.Stderr, "nth: %s", f.Error())
	return int(f.Code)
}
