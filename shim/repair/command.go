// Package repair changes by hand what is recorded of a Job: `nth reset` forgets items,
// so that they run again, and `nth mark` records items as done. Both choose items from
// a listing, refuse those that a living run claims, and tell what they change.
package repair

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/place"
	"nth/shim/screen"
	"nth/shim/store"
)

// Config is what both commands are told. What nth run knows too has the same name
// there; what chooses, confirms or destroys has no variable.
type Config struct {
	config.Store `embed:"" set:"wait=30s"`

	Completions *int64 `group:"Indexes" placeholder:"N" help:"How many indexes the whole Job has."`
	Job         string `group:"Store" placeholder:"NAME" help:"Name of the Job."`
	JobUID      string `group:"Store" name:"job-uid" placeholder:"UID" help:"Unique ID of the Job."`
	Indexes     string `group:"Indexes" env:"-" placeholder:"LIST" help:"These indexes, such as 3,7-9."`
	Failed      bool   `group:"Indexes" env:"-" help:"The indexes that have a failure record, and no marker."`
	Missing     bool   `group:"Indexes" env:"-" help:"The indexes that have neither a marker nor a failure record."`
	All         bool   `group:"Indexes" env:"-" help:"All of them. Asks first."`
	Yes         bool   `group:"Confirm" env:"-" help:"Don't ask."`
	Force       bool   `group:"Confirm" env:"-" help:"Also the indexes that a living run claims."`
	DryRun      bool   `group:"Confirm" env:"-" help:"Print what would be done, and do nothing."`
	Progress    string `group:"Messages" default:"auto" enum:"auto,always,never" help:"Progress bar: auto (on a terminal), always or never."`
}

// World is what a repair touches besides its store.
type World struct {
	edge.Process
	Stdin, Stdout *os.File
}

// session is one repair.
type session struct {
	Config
	World
	name  string // of the command
	where place.Markers
	ctx   context.Context
	store *store.Store
	clock clock
	slow  func(error, time.Duration) // is told of each further try; nil: nobody wants to know
}

// agree refuses what a command can't be told; target is all of its flags.
func (c *Config) agree(command config.Commands, target any) error {
	return config.Check(config.Told{For: command, Store: &c.Store, Completions: c.Completions, Said: flags.Said(target)})
}

// open checks what both commands are told, and opens the store without asking it
// anything. The name is that of the command.
func open(ctx context.Context, name string, c Config, rest []string, w World) (*session, error) {
	if len(rest) > 0 {
		return nil, usage("COMMAND", "nothing is run here", "nth "+name+" --markers URL --indexes LIST")
	}
	if err := c.askable("--all", w); err != nil {
		return nil, err
	}
	where := place.Markers{URL: c.Markers, Completions: c.Completions, Job: c.Job, JobUID: c.JobUID,
		Usage: "nth " + name + " --markers URL --indexes LIST", Hint: "give the URL of one index's markers"}
	s, err := place.Find(ctx, where, w.Process, c.StoreTimeout)
	if err != nil {
		return nil, err
	}
	return &session{Config: c, World: w, name: name, where: where, ctx: ctx, store: s}, nil
}

// askable refuses a flag that asks first where nobody can be asked.
func (c *Config) askable(flag string, w World) error {
	if !c.All || c.Yes || c.DryRun || isatty.IsTerminal(w.Stdin.Fd()) {
		return nil
	}
	return usage(flag, "nobody can be asked here", "--yes does without, and --dry-run shows what would be done")
}

func usage(on, why, hint string) error {
	return &failure.Failure{Code: failure.Usage, Tried: "read", On: on, Cause: errors.New(why), Hint: hint}
}

func (s *session) policy() store.Policy {
	return store.Policy{Window: s.StoreWait, PerCall: s.StoreTimeout, Pieces: true}
}

// retry asks the store something until it answers. An error is a failure.
func (s *session) retry(ctx context.Context, tried, key string, op func(context.Context) error) error {
	return s.describe(store.Retry(ctx, s.policy(), op, s.slow), tried, key)
}

// describe gives a store's error as a failure; what is one already, such as that of a
// signal, stays.
func (s *session) describe(err error, tried, key string) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	return store.Fail(err, failure.TheJob, tried, s.store.Show(key))
}

// confirm asks on the terminal, unless that isn't wanted.
func (s *session) confirm(question string) error {
	if !s.All || s.Yes || s.DryRun {
		return nil
	}
	fmt.Fprint(s.Stderr, screen.Line(question)+" [y/N] ")
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(s.Stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case a := <-answer:
		if a == "y" || a == "yes" {
			return nil
		}
		return &failure.Failure{Code: 1, Tried: s.name, Cause: errors.New("the answer was no: nothing was changed")}
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}
