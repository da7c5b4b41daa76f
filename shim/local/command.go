package local

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/forecast"
	"nth/shim/identity"
	"nth/shim/policy"
	"nth/shim/proc"
	"nth/shim/screen"
	"nth/shim/source"
)

// Config is what `nth local` is told, beside what it hands on to nth run.
type Config struct {
	config.Config
	Parallelism          int           `group:"Local" default:"0" placeholder:"N" help:"How many indexes run at the same time, each with --jobs of its items; 0: one for each CPU."`
	BackoffLimitPerIndex int           `group:"Local" default:"3" placeholder:"N" help:"How often a failed index is tried again."`
	MaxFailed            string        `group:"Local" placeholder:"N|N%" help:"Stop when more indexes than this have failed (default 10%, but at least 10)."`
	RetryDelay           time.Duration `group:"Local" default:"1s" placeholder:"D" help:"Before the first retry of an index; doubled for each further one."`
	Progress             string        `group:"Local" default:"auto" enum:"auto,always,never" help:"Progress bar: auto (on a terminal), always or never."`
	Isolated             bool          `group:"Local" env:"-" help:"Start an nth of its own for each index, as a pod would, instead of running them all in this process."`
	NoLook               bool          `group:"Local" env:"-" help:"Begin without asking whether the inputs are there, or whose outputs are the same."`
	Chaos                string        `group:"Local" bare:"random" placeholder:"[=SEED]" help:"Find out whether the command may be run again at any time: run the Job once undisturbed, and once while its runs are killed, paused, doubled and run again at random, and compare what came out. Exit 0: the same; 1: not. The markers are not those of --markers."`
	ChaosCompare         []string      `group:"Local" sep:"\n" placeholder:"PATH|URL" help:"With --chaos: what the command writes, a directory, a file or all below a store's URL. Absent or empty at the start, and again at the end. Repeatable."`
}

// Command is `nth local`; own are its flags as they were written. It gives the exit code,
// or the failure of a Job that could not be run at all.
func Command(c Config, own []string, p edge.Process) (int, error) {
	o, err := c.Ready(own, p)
	if err != nil {
		return 0, err
	}
	if c.together() {
		err = c.runInside(&o, own, p)
	} else {
		o.Signals = proc.Stops(announced(p)...)
	}
	if err != nil {
		return 0, err
	}
	count, done := source.Counts(c.Config, p)
	if count != nil {
		defer done()
		o.Tasks = count
	}
	summary, err := Run(context.Background(), o)
	if err != nil {
		return 0, err
	}
	signal.Reset() // a stderr that nobody reads must not hold a third Ctrl-C
	fmt.Fprint(os.Stderr, summary)
	if len(summary.Cut) > 0 && c.Markers.URL != "" {
		fmt.Fprintf(os.Stderr, "nth local: %s ended well and may have markers: nth reset them before the next run, or their output stays cut off\n",
			identity.FormatList(summary.Cut))
	}
	if summary.Unfinished > 0 && c.Markers.URL != "" && summary.FailJob == nil {
		fmt.Fprintln(os.Stderr, "nth local: run the same command again to go on with the rest")
	}
	return summary.ExitCode(), nil
}

// announced are the signals by which the platform announces a kill. They stop the Job whatever
// --stop-signals says, which is of its commands' runs.
func announced(p edge.Process) (list []os.Signal) {
	for _, name := range identity.StopSignals(p.LookupEnv) {
		if sig, err := proc.ParseSignal(name); err == nil {
			list = append(list, sig)
		}
	}
	return list
}

// Ready says what to run, as the flags have it, and refuses what can't work. Own are the
// flags as they were written.
func (c *Config) Ready(own []string, p edge.Process) (Options, error) {
	auto := c.Index.Completions != nil && *c.Index.Completions == identity.Auto
	own, err := c.count(own, p)
	if err == nil {
		err = config.Check(config.Told{For: config.ForLocal, Config: &c.Config, Completions: c.Index.Completions, Said: flags.Said(*c)})
	}
	if err != nil {
		return Options{}, err
	}
	o, err := c.prepare(own, p)
	switch {
	case err != nil || c.NoLook && !auto:
	case !auto:
		if beyond := forecast.Beyond(c.Config, p); beyond != "" {
			screen.Tell(p.Stderr, "nth local: %s", beyond)
		}
	case c.Lists():
		err = forecast.Pin(c.Config, p, *c.Index.Completions)
	}
	return o, err
}

// count makes of --completions auto a number, for the children too. Nothing is written: what
// is still to be checked may refuse the Job.
func (c *Config) count(own []string, p edge.Process) ([]string, error) {
	if n := c.Index.Completions; n == nil || *n != identity.Auto {
		return own, nil
	}
	if err := config.Check(config.Told{For: config.ForLocal, Config: &c.Config, Completions: nil, Said: flags.Said(*c)}); err != nil {
		return nil, err
	}
	if err := forecast.Count(&c.Config, p, false); err != nil {
		return nil, err
	}
	own = slices.Clone(own)
	for i, word := range own {
		if strings.HasPrefix(word, "--completions=") {
			own[i] = fmt.Sprintf("--completions=%d", *c.Index.Completions)
		}
	}
	return own, nil
}

// prepare says what to run, and finds out beforehand what can't work.
func (c *Config) prepare(own []string, p edge.Process) (Options, error) {
	o, err := c.options(own, p.World)
	if err == nil {
		err = o.complete()
	}
	if err != nil {
		return o, err
	}
	same, err := c.foresee(o, p)
	if err == nil {
		err = look(&c.Config, p)
	}
	if err == nil && !c.NoLook {
		err = c.prove(p)
	}
	if err == nil && same {
		fmt.Fprintln(p.Stderr, "nth local: "+forecast.Same)
	}
	if err == nil {
		err = makeMarkers(&c.Config, p)
	}
	return o, err
}

func (c *Config) options(own []string, w edge.World) (Options, error) {
	o := Options{
		Parallelism: c.Parallelism, BackoffLimit: c.BackoffLimitPerIndex, RetryDelay: c.RetryDelay, Args: c.args(own),
		Remove: identity.Variables(), Environ: environ(w), Stdout: os.Stdout, Stderr: os.Stderr, Progress: c.Progress,
		Workers: c.Source() == config.Queue,
	}
	usage := func(flag string, cause error) error {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: flag, Cause: cause}
	}
	var err error
	if o.MaxFailed, err = policy.ParseMaxFailed(c.MaxFailed); err != nil {
		return o, usage("--max-failed", err)
	}
	if o.Self, err = os.Executable(); err != nil {
		return o, err
	}
	if c.Index.Completions != nil {
		o.Completions = *c.Index.Completions
	}
	if c.Index.Indexes == "" {
		return o, nil
	}
	list, err := identity.ParseList(c.Index.Indexes)
	if err != nil {
		return o, err
	}
	if o.Completions > 0 && list.Last() >= o.Completions {
		return o, usage("--indexes", fmt.Errorf("%d is beyond the last index, %d", list.Last(), o.Completions-1))
	}
	for k := range list.Len() {
		o.Indexes = append(o.Indexes, list.At(k))
	}
	return o, nil
}

// args are a child's: the words that a run obeys, and the command. What is ours or says
// which index it is stays here, for each child is told its own by its environment.
func (c *Config) args(own []string) []string {
	args := []string{"run", "--reserve-exit-codes"}
	for _, word := range own {
		flag, _, _ := strings.Cut(word, "=")
		if config.UseOf(flag, config.ForLocal) == config.Obeys {
			args = append(args, word)
		}
	}
	return append(append(args, "--"), c.Command...)
}

// environ is the children's. A person reads along here: only what is unusual, and not
// as JSON.
func environ(w edge.World) []string {
	env := slices.Clone(w.Environ)
	for _, quiet := range []string{"NTH_LOG_LEVEL=warn", "NTH_LOG_FORMAT=console"} {
		name, _, _ := strings.Cut(quiet, "=")
		if value, _ := w.LookupEnv(name); value == "" {
			env = append(env, quiet)
		}
	}
	return env
}
