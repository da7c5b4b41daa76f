package check

import (
	"errors"
	"fmt"
	"io"
	"time"

	"nth/shim/failure"
	"nth/shim/proc"
	"nth/templates"
)

// Config is what `nth check` is told: a flag each. What nth run knows too has the
// same name there.
type Config struct {
	Markers      string        `group:"Store" placeholder:"URL" help:"The store, as nth run is given it; of templates, what needs no index."`
	StoreWait    time.Duration `group:"Store" default:"5s" placeholder:"D" help:"Try a store that doesn't answer for this long."`
	StoreTimeout time.Duration `group:"Store" default:"30s" placeholder:"D" help:"Deadline of a single call to the store."`
	Index        *string       `group:"Templates" placeholder:"N" help:"For a URL with <<.Index>>, where no platform tells one."`
	Completions  *int64        `group:"Templates" placeholder:"N" help:"How many indexes the whole Job has."`
	Job          string        `group:"Templates" placeholder:"NAME" help:"Name of the Job."`
	JobUID       string        `group:"Templates" name:"job-uid" placeholder:"UID" help:"Unique ID of the Job."`
	Format       string        `group:"Messages" env:"-" default:"text" enum:"text,json" help:"text or json."`
}

// World is what a check touches besides its store.
type World struct {
	Sources         templates.Sources
	Hostname, RunID string
	Stdout, Stderr  io.Writer
}

// Command is `nth check`: it prints the report. An error is a failure with the exit
// code.
func Command(c Config, rest []string, w World) error {
	if len(rest) > 0 {
		return usage("COMMAND", errors.New("nothing is run here"), "nth check --markers URL")
	}
	if c.StoreWait < 0 || c.StoreTimeout <= 0 {
		return usage("--store-wait and --store-timeout", errors.New("a duration is not positive"), "give one such as 30s")
	}
	where, secrets, err := expand(c, w)
	if err != nil {
		return err
	}
	ctx, stop := proc.Interruptible("check the store")
	defer stop()
	var printed error
	o := Options{URL: where, RunID: w.RunID, Wait: c.StoreWait, Timeout: c.StoreTimeout,
		Hide:    func(s string) string { return templates.Hide(s, secrets) },
		Waiting: func(why string) { fmt.Fprintln(w.Stderr, "nth: check the store: "+why) }}
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
