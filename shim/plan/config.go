package plan

import (
	"nth/shim/config"
	"nth/shim/flags"
)

// Config is what `nth plan` is told, beside what it knows as nth run does.
type Config struct {
	config.Config
	Format string `group:"Plan" env:"-" default:"text" enum:"text,json" help:"text or json."`
	NoLook bool   `group:"Plan" env:"-" help:"Ask no store whether the inputs are there."`
}

// Spec is what `nth plan --help` says.
var Spec = flags.Spec{
	Name: "nth plan", Args: "[--] COMMAND [ARG...]",
	Line: "print what every index would run; run nothing",
	About: `Print what every index would run, and run nothing. Exit 1 when two indexes expand to the
same command or the command doesn't use the index. With a file of rows in --tasks, each index
with its row, and how much the Job will read of it; with many objects, each with its own,
and which groups are incomplete. The lines come as they are made, and a command is compared
with the first 100000 different ones. Takes the flags of nth run.`,
	Example: `nth plan --completions 3 -- process_file '/data/file_<<.Index>>.txt'`,
	Own:     []string{"Plan"},
	Common:  []string{"completions", "indexes", "env", "require", "input", "output", "items", "each", "markers", "tasks"},
	Aside:   config.PodFlags,
	Refuses: func(flag string) bool { return config.UseOf(flag, config.ForPlan) == config.Refuses },
}
