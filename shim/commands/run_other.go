//go:build !windows

package commands

import (
	"errors"

	"nth/shim"
	"nth/shim/chaos"
	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/flags"
	"nth/shim/help"
	"nth/shim/local"
)

// Run is `nth run`, and every command line that names no subcommand.
func Run(args []string, w edge.World) int {
	var c config.Config
	own, rest, err := flags.Parse(config.Spec, &c, args)
	if err == nil {
		err = emptied(own)
	}
	switch {
	case unread(err):
		return brokenPipe
	case errors.Is(err, flags.ErrHelp):
		return 0
	case unread(err):
		return brokenPipe
	case err != nil:
		return shim.Refuse(Whose(err, config.Spec.Name), w)
	}
	c.Command = rest
	return shim.Run(c, w)
}

// onThisMachine is nth local.
func onThisMachine() Command {
	return Command{help.Command{Spec: local.Spec, Flags: func() any { return new(local.Config) }}, func(c any, own, rest []string, p edge.Process) (int, error) {
		l := c.(*local.Config)
		if l.Command = rest; l.Chaos != "" {
			return chaos.Command(*l, own, p)
		}
		return local.Command(*l, own, p)
	}}
}

// own tells which variables no command of a user's is to see.
func own() func(name string) bool { return flags.Hidden(local.Config{}) } // nth run's are among them

func refuse(err error, w edge.World) int { return shim.Refuse(err, w) }
