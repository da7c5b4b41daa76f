package check

import (
	"errors"
	"io"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/proc"
	"nth/shim/screen"
)

// Config is what `nth check` is told: a flag each. What nth run knows too has the
// same name there.
type Config struct {
	config.Store `embed:"" set:"wait=5s"`

	Index       *string `group:"Templates" placeholder:"N" help:"For a URL with <<.Index>>, where no platform tells one."`
	Completions *int64  `group:"Templates" placeholder:"N" help:"How many indexes the whole Job has."`
	Job         string  `group:"Templates" placeholder:"NAME" help:"Name of the Job."`
	JobUID      string  `group:"Templates" name:"job-uid" placeholder:"UID" help:"Unique ID of the Job."`
	Format      string  `group:"Messages" env:"-" default:"text" enum:"text,json" help:"text or json."`
}

// World is what a check touches besides its store.
type World struct {
	edge.Process
	Stdout io.Writer
}

// Command is `nth check`: it prints the report. An error is a failure with the exit
// code.
func Command(c Config, rest []string, w World) error {
	if len(rest) > 0 {
		return usage("COMMAND", errors.New("nothing is run here"), "nth check --markers URL")
	}
	if err := config.Check(config.Told{For: config.ForCheck, Store: &c.Store, Completions: c.Completions, Said: flags.Said(c)}); err != nil {
		return err
	}
	where, err := expand(c, w.Process)
	if err != nil {
		return err
	}
	ctx, stop := proc.Interruptible("check the store")
	defer stop()
	var printed error
	o := Options{URL: where, RunID: w.RunID, Wait: c.StoreWait, Timeout: c.StoreTimeout,
		Secrets: w.Secrets,
		Waiting: func(why string) { screen.Tell(w.Stderr, "nth: check the store: %s", why) }}
	if c.Format == "text" {
		o.Each = func(r Result) {
			if err := r.WriteText(w.Stdout); printed == nil {
				printed = err
			}
		}
	}
	r := Run(ctx, o)
	write := r.WriteSummary
	if c.Format == "json" {
		write = r.WriteJSON
	}
	if err := write(w.Stdout); printed == nil {
		printed = err
	}
	if err := r.Err(); err != nil {
		return err
	}
	if printed != nil {
		return &failure.Failure{Code: failure.Unavailable, Tried: "print the report", Cause: printed}
	}
	return nil
}

func usage(on string, cause error, hint string) error {
	return &failure.Failure{Code: failure.Usage, Tried: "read", On: on, Cause: cause, Hint: hint}
}
