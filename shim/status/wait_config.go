package status

import (
	"errors"
	"time"

	"nth/shim/config"
	"nth/shim/flags"
	"nth/shim/policy"
)

// WaitSpec is what `nth wait --help` says.
var WaitSpec = flags.Spec{
	Name: "nth wait",
	Line: "block until a Job is settled",
	About: `Wait until every index of a Job is done or skipped, or has failed for a minute without
another start; with --max-failed also until more than that have. Exit codes as nth status:
0 when all is settled and no more has failed than may, else 1; 124 after --timeout.`,
	Example: `nth wait --markers file:///tmp/markers --completions 5 --timeout 1h`,
}

// WaitConfig is what `nth wait` is told: a flag each, as those of nth status and nth run.
type WaitConfig struct {
	config.Store `embed:"" set:"wait=30s"`

	Completions *int64 `group:"Indexes" placeholder:"N" help:"How many indexes the whole Job has (default: what one of the documents says, as soon as there is one)."`
	Indexes     string `group:"Indexes" placeholder:"LIST" help:"Wait for these only, such as 7,42,90-99; where the user picks the numbers, all that there should be."`
	Job         string `group:"Indexes" placeholder:"NAME" help:"Name of the Job, for <<.Job>> in the URL."`
	JobUID      string `group:"Indexes" name:"job-uid" placeholder:"UID" help:"Unique ID of the Job, for <<.JobUID>> in the URL."`

	Success   string        `group:"Wait" placeholder:"URL" help:"Read this document instead of the markers, which nth run --success writes at the end. With --markers too, markers are asked meanwhile, and nth wait writes it where no run did."`
	MaxFailed string        `group:"Wait" placeholder:"N|N%" help:"Exit 0 also when so many indexes have failed (default 0), and 1 as soon as more have."`
	Interval  time.Duration `group:"Wait" env:"-" default:"5s" placeholder:"D" help:"The time from one question to the store to the next."`
	Timeout   time.Duration `group:"Wait" env:"-" default:"0s" placeholder:"D" help:"Wait no longer than this, then exit 124, or as the store's error says that is away; 0: without end."`
}

// parse refuses what makes no sense: exit code 64, or 78 for a contradiction.
func (c WaitConfig) parse(rest []string) (p parsed, err error) {
	p.called = WaitSpec.Name
	p.Config = Config{Store: c.Store, Completions: c.Completions, Indexes: c.Indexes, Job: c.Job, JobUID: c.JobUID, MaxFailed: c.MaxFailed}
	if len(rest) > 0 {
		return p, usage("COMMAND", errors.New("nothing is run here"), "nth wait --markers URL")
	}
	if err := config.Check(config.Told{For: config.ForWait, Store: &c.Store, Completions: c.Completions, Said: flags.Said(c)}); err != nil {
		return p, err
	}
	if p.maxFailed, err = tolerated(c.MaxFailed); err == nil && (c.Completions != nil || c.Indexes != "") {
		_, err = Indexes(c.Completions, c.Indexes)
	}
	return p, err
}

// tolerated gives how many failed indexes --max-failed endures: none, where it says
// nothing.
func tolerated(said string) (func(total int64) int64, error) {
	limit, err := policy.ParseMaxFailed(said)
	if err != nil {
		return nil, usage("--max-failed", err, "")
	}
	return func(total int64) int64 {
		if said == "" {
			return 0
		}
		return limit.Of(total)
	}, nil
}
