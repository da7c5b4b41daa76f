// Package commands is nth's subcommands: what each is called, what it is told, and what
// does it.
package commands

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"nth/shim/check"
	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/help"
	"nth/shim/install"
	"nth/shim/manifest"
	"nth/shim/plan"
	"nth/shim/proc"
	"nth/shim/repair"
	"nth/shim/screen"
	"nth/shim/status"
)

// Command is a subcommand.
type Command struct {
	help.Command
	// do gives the exit code: c is what Flags gave, read; own are the flags' own words,
	// rest what follows them. An error is a failure. Nil: it is nth run, which is no
	// person's, and whose failures have more views than a line.
	do func(c any, own, rest []string, p edge.Process) (int, error)
}

// Table gives all of them, in the order of a Job's life. The build is what `nth version`
// says of this program beside its version. (With type parameters for the flags it would
// be much larger: their tags become part of the functions' names.)
func Table(build string) []Command {
	all := []Command{
		{help.Command{Spec: plan.Spec, Flags: func() any { return new(plan.Config) }}, planned},
		{help.Command{Spec: check.Spec, Flags: func() any { return new(check.Config) }}, checked},
		onThisMachine(),
		{help.Command{Spec: manifest.Spec, Flags: func() any { return new(manifest.Config) }}, func(c any, own, rest []string, p edge.Process) (int, error) {
			return 0, manifest.Command(*c.(*manifest.Config), own, rest, manifest.World{Process: p, Stdin: os.Stdin, Stdout: os.Stdout})
		}},
		{help.Command{Spec: config.Spec, Flags: func() any { return new(config.Config) }}, nil},
		{help.Command{Spec: status.Spec, Flags: func() any { return new(status.Config) }}, looked},
		{help.Command{Spec: status.WaitSpec, Flags: func() any { return new(status.WaitConfig) }}, waited},
		{help.Command{Spec: repair.ResetSpec, Flags: func() any { return new(repair.ResetConfig) }}, func(c any, _, rest []string, p edge.Process) (int, error) {
			return repair.Reset(*c.(*repair.ResetConfig), rest, repairs(p))
		}},
		{help.Command{Spec: repair.MarkSpec, Flags: func() any { return new(repair.MarkConfig) }}, func(c any, _, rest []string, p edge.Process) (int, error) {
			return repair.Mark(*c.(*repair.MarkConfig), rest, repairs(p))
		}},
		{help.Command{Spec: install.Spec, Flags: none}, func(_ any, _, rest []string, _ edge.Process) (int, error) {
			return 0, install.Command(rest)
		}},
		{help.Command{Spec: versionSpec, Flags: none}, func(_ any, _, _ []string, p edge.Process) (int, error) {
			_, err := fmt.Printf("nth %s (%s, %s, %s/%s)\n", p.Version, build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			if err != nil {
				err = &failure.Failure{Code: failure.Unavailable, Tried: "print the version", Cause: err}
			}
			return 0, err
		}},
	}
	all = append(all, Command{help.Command{Spec: help.Spec, Flags: none}, func(_ any, _, rest []string, _ edge.Process) (int, error) {
		return 0, help.Topic(os.Stdout, rest, shown(all))
	}})
	return all
}

var versionSpec = flags.Spec{Name: "nth version", Line: "version, commit, Go version and platform",
	About: "Print version, commit, Go version and platform.", Example: "nth version"}

func none() any { return new(struct{}) }

// Do runs the subcommand, and gives its exit code. A failure is one line on stderr, in
// which no secret is left that the command has read.
func (c Command) Do(args []string, w edge.World) int {
	if c.do == nil {
		return Run(args, w)
	}
	proc.Answer(w.Stderr)
	if len(args) == 1 && args[0] == help.Spec.Name[len("nth "):] && c.Word() != install.Spec.Name[len("nth "):] { // it may be a path there
		args = []string{"--help"}
	}
	p, target, code := edge.NewProcess(w), c.Flags(), 0
	defer p.Stores.Close()
	own, rest, err := flags.Parse(c.Spec, target, args)
	if err == nil {
		err = emptied(own)
	}
	if err == nil {
		code, err = c.do(target, own, rest, p)
	}
	if unread(err) {
		return brokenPipe
	}
	if err != nil && !errors.Is(err, flags.ErrHelp) {
		f := failure.From(Whose(err, c.Name))
		screen.Tell(w.Stderr, "nth: %s", p.Secrets.Hide(f.Error()))
		return int(f.Code)
	}
	return code
}

const brokenPipe = failure.SignalOffset + int(syscall.SIGPIPE)

// unread tells whether nobody reads what a command prints any more, as head does that has
// seen enough: it ends as by the signal that says so, and says nothing.
func unread(err error) bool {
	if f, ok := errors.AsType[*failure.Failure](err); ok && int(f.Code) == brokenPipe {
		return true
	}
	path, ok := errors.AsType[*os.PathError](err)
	return ok && path.Path == os.Stdout.Name() && errors.Is(err, syscall.EPIPE)
}

func planned(flags any, _, rest []string, process edge.Process) (int, error) {
	c := flags.(*plan.Config)
	c.Command = rest
	return plan.Write(*c, process, os.Stdout)
}

func checked(c any, _, rest []string, p edge.Process) (int, error) {
	return 0, check.Command(*c.(*check.Config), rest, check.World{Process: p, Stdout: os.Stdout})
}

func looked(c any, _, rest []string, p edge.Process) (int, error) {
	return status.Command(*c.(*status.Config), rest, status.World{Process: p, Stdin: os.Stdin, Stdout: os.Stdout})
}

func waited(c any, _, rest []string, p edge.Process) (int, error) {
	return status.Wait(*c.(*status.WaitConfig), rest, status.World{Process: p, Stdin: os.Stdin, Stdout: os.Stdout})
}

func repairs(p edge.Process) repair.World {
	return repair.World{Process: p, Stdin: os.Stdin, Stdout: os.Stdout}
}

func shown(all []Command) []help.Command {
	list := make([]help.Command, len(all))
	for i, c := range all {
		list[i] = c.Command
	}
	return list
}
