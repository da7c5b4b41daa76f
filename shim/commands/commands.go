// Package commands is nth's subcommands: what each is called, what it is told, and what
// does it.
package commands

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"nth/shim"
	"nth/shim/check"
	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/help"
	"nth/shim/install"
	"nth/shim/local"
	"nth/shim/manifest"
	"nth/shim/plan"
	"nth/shim/repair"
	"nth/shim/status"
)

// Command is a subcommand.
type Command struct {
	help.Command
	Do func(args []string, w edge.World) int // gives the exit code
}

// Table gives all of them, in the order of a Job's life. The build is what `nth version`
// says of this program beside its version.
func Table(build string) []Command {
	all := []Command{
		person(plan.Spec, func(c *plan.Config, _, rest []string, w edge.World) (int, error) {
			c.Command = rest
			return planned(c, w)
		}),
		person(check.Spec, func(c *check.Config, _, rest []string, w edge.World) (int, error) {
			return 0, check.Command(*c, rest, check.World{Sources: w.Sources(), Hostname: w.Hostname, RunID: w.RunID, Stdout: os.Stdout, Stderr: w.Stderr})
		}),
		person(local.Spec, func(c *local.Config, own, rest []string, w edge.World) (int, error) {
			c.Command = rest
			return local.Command(*c, own, w)
		}),
		person(manifest.Spec, func(c *manifest.Config, own, rest []string, w edge.World) (int, error) {
			return 0, manifest.Command(*c, own, rest, manifest.World{World: w, Stdout: os.Stdout})
		}),
		{help.Command{Spec: config.Spec, Flags: func() any { return new(config.Config) }}, Run},
		person(status.Spec, func(c *status.Config, _, rest []string, w edge.World) (int, error) {
			return status.Command(*c, rest, status.World{Sources: w.Sources(), Hostname: w.Hostname, RunID: w.RunID, Version: w.Version,
				Stdin: os.Stdin, Stdout: os.Stdout, Stderr: w.Stderr})
		}),
		person(repair.ResetSpec, func(c *repair.Config, _, rest []string, w edge.World) (int, error) {
			return repair.Reset(*c, rest, repairs(w))
		}),
		person(repair.MarkSpec, func(c *repair.MarkConfig, _, rest []string, w edge.World) (int, error) {
			return repair.Mark(*c, rest, repairs(w))
		}),
		person(install.Spec, func(_ *struct{}, _, rest []string, _ edge.World) (int, error) {
			return 0, install.Command(rest)
		}),
		person(versionSpec, func(_ *struct{}, _, _ []string, w edge.World) (int, error) {
			fmt.Printf("nth %s (%s, %s, %s/%s)\n", w.Version, build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return 0, nil
		}),
	}
	all = append(all, person(help.Spec, func(_ *struct{}, _, rest []string, _ edge.World) (int, error) {
		return 0, help.Topic(os.Stdout, rest, shown(all))
	}))
	return all
}

var versionSpec = flags.Spec{Name: "nth version", Line: "version, commit, Go version and platform",
	About: "Print version, commit, Go version and platform.", Example: "nth version"}

// Run is `nth run`, and every command line that names no subcommand.
func Run(args []string, w edge.World) int {
	var c config.Config
	_, rest, err := flags.Parse(config.Spec, &c, args)
	switch {
	case errors.Is(err, flags.ErrHelp):
		return 0
	case err != nil:
		return shim.Refuse(err, w)
	}
	c.Command = rest
	return shim.Run(c, w)
}

// person gives a subcommand that a person runs: a failure is one line on stderr.
func person[C any](s flags.Spec, do func(c *C, own, rest []string, w edge.World) (int, error)) Command {
	return Command{help.Command{Spec: s, Flags: func() any { return new(C) }}, func(args []string, w edge.World) int {
		c := new(C)
		own, rest, err := flags.Parse(s, c, args)
		code := 0
		if err == nil {
			code, err = do(c, own, rest, w)
		}
		if err != nil && !errors.Is(err, flags.ErrHelp) {
			f := failure.From(err)
			fmt.Fprintln(w.Stderr, "nth: "+f.Error())
			return int(f.Code)
		}
		return code
	}}
}

func planned(c *plan.Config, w edge.World) (int, error) {
	p, err := plan.New(c.Config, w)
	if err != nil {
		return 0, err
	}
	if c.Format == "json" {
		err = p.WriteJSON(os.Stdout)
	} else {
		err = p.WriteText(os.Stdout, w.Stderr)
	}
	if err != nil {
		return 0, &failure.Failure{Code: failure.Unavailable, Tried: "print the plan", Cause: err}
	}
	return p.Code(), nil
}

func repairs(w edge.World) repair.World {
	return repair.World{Sources: w.Sources(), Hostname: w.Hostname, RunID: w.RunID, Version: w.Version,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: w.Stderr}
}

func shown(all []Command) []help.Command {
	list := make([]help.Command, len(all))
	for i, c := range all {
		list[i] = c.Command
	}
	return list
}
