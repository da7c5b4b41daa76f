// Package shim is one run: from the number that the platform gave to the marker that says
// its work is done. Run finds out who it is and which kind of work there is to do, and
// hands on to whoever does that; what they all do for an item is nth/shim/once.
package shim

import (
	"context"
	"os"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/end"
	"nth/shim/identity"
	"nth/shim/index"
	"nth/shim/item"
	"nth/shim/proc"
	"nth/shim/shard"
	"nth/shim/source"
	"nth/shim/store"
	"nth/shim/worker"
)

// Run runs one index and gives the process's exit code. It writes to stderr and the
// termination log only.
func Run(c config.Config, w edge.World) int {
	w.FileWait = c.Stores.StoreTimeout
	p := open(w, c.Messages)
	ending := end.New(c.Messages)
	watch, err := c.Process.SignalConfig(identity.StopSignals(w.LookupEnv)...)
	if err != nil {
		return ending.End(p, end.Report{Err: err})
	}
	p.Signals = proc.Watch(watch)
	ending.Watch(p, os.Exit)
	report := run(&c, &p, ending, &source.Parsed{})
	return ending.End(p, report)
}

// Attempt is a run of one index, one of many in a process that all share what a process has.
type Attempt struct {
	World   edge.World // with the environment that a process of its own would have
	Signals *proc.Signals
	Stores  *store.Stores
	Parsed  *source.Parsed // of all whose flags are these
	Among   *edge.Among
	Reason  func(message string) // is told the termination message; may be called twice
	Waits   func() bool          // tells whether its place is another's, for its command has ended well
}

// Run runs it and gives the exit code that a process of its own would have, once, by ended:
// either when it has ended, or when it is given up after a stop signal, for a step of it
// doesn't return. Then it doesn't return either.
func (a Attempt) Run(c config.Config, ended func(code int)) {
	a.World.FileWait = c.Stores.StoreTimeout
	p := edge.NewProcess(a.World)
	p.Join(a.Among, a.Stores)
	p.Log = edge.NewLogger(c.Messages.LogFormat, c.Messages.LogLevel, a.Among.Messages, p.Secrets)
	p.Signals = a.Signals
	ending := end.New(c.Messages)
	ending.Reason, ending.Unsaid = a.Reason, a.Waits
	over := ending.Watch(p, ended)
	report := run(&c, &p, ending, a.Parsed)
	code := ending.End(p, report)
	over()
	ended(code)
}

// Refuse is a run that its flags don't allow: it fails as any other does.
func Refuse(err error, w edge.World) int {
	m := config.Messages{LogFormat: "auto", LogLevel: "info", TerminationLog: config.DefaultTerminationLog}
	if path, ok := w.LookupEnv("NTH_TERMINATION_LOG"); ok {
		m.TerminationLog = path
	}
	return end.New(m).End(open(w, m), end.Report{Err: err})
}

// open gives what a process has once.
func open(w edge.World, m config.Messages) edge.Process {
	p := edge.NewProcess(w)
	p.Log = edge.NewLogger(m.LogFormat, m.LogLevel, w.Stderr, p.Secrets)
	return p
}

// run does what there is to do. What p learns on the way, the end of the run knows too.
func run(c *config.Config, p *edge.Process, e *end.Ending, parsed *source.Parsed) end.Report {
	ctx := p.Signals.Context()
	r := &item.Run{Process: *p, Config: c}
	err := r.Step(ctx, "identify")
	if err == nil {
		r.Identity, err = identify(r)
	}
	if err != nil {
		return end.Report{Err: err}
	}
	p.Log = r.Log
	if p.Among == nil {
		warnOfSpace(p.Log)
	}
	p.Stores.Made = func(url string) {
		r.Log.Info().Str("directory", url).Msg("the directory was not there, and is made: nothing was there before")
	}
	from, err := parsed.Prepare(r)
	if err != nil {
		return end.Report{Err: err, Header: r.Header()}
	}
	return work(c)(ctx, r, from, e)
}

// work is who does the work that there is.
func work(c *config.Config) func(context.Context, *item.Run, *source.Mapping, *end.Ending) end.Report {
	switch {
	case c.Mapping.Each:
		return shard.Run
	case c.Source() == config.Queue:
		return worker.Run
	}
	return index.Run
}

// identify finds out which index this is, and logs that before anything else is done.
func identify(r *item.Run) (identity.Identity, error) {
	id, err := identity.Resolve(r.Config.Index, r.LookupEnv, r.Hostname)
	if err != nil {
		return id, err
	}
	l := r.Log.With().Int64("index", id.Index)
	if id.Completions != nil {
		l = l.Int64("completions", *id.Completions)
	}
	r.Log = l.Int("attempt", id.Attempt).Str("platform", id.Platform).Str("run_id", r.RunID).Logger()
	r.Log.Info().Str("variable", id.Variable).Int64("raw_index", id.RawIndex).Msg("index")
	for _, w := range id.Warnings {
		r.Log.Warn().Msg(w)
	}
	return id, nil
}
