package config

import (
	"fmt"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/proc"
	"nth/shim/store/contract"
)

const (
	// MaxStderrTail is the most of a command's stderr that --stderr-tail keeps, in bytes:
	// it is held in memory and in one record.
	MaxStderrTail = 1 << 20
	// minLease is the shortest time in which a renewal can get lost and be tried again.
	minLease = time.Second
)

// values are about flags that say nothing by themselves: exit code 64.
var values = []rule{
	{of: runs, detail: noExitCode, on: "--done-exit-codes and --skip-exit-codes", hint: "exit codes are 0 to 255", code: failure.Usage},
	{of: anyOne, flag: control, why: "it has a control character in it, such as a line break at its end", hint: contract.HintControl, code: failure.Usage},
	{of: runs, flag: fragment, why: "it has a #, behind which nothing is sent", hint: "write %23 for one in a password or a name", code: failure.Usage},
	{of: anyOne, flag: negative, why: "it is negative", hint: "give a duration such as 30s", code: failure.Usage},
	{of: anyOne, wrong: func(t *Told) bool { return t.timeout() <= 0 },
		on: "--store-timeout", why: "it is not positive", hint: "give a duration such as 30s", code: failure.Usage},
	{of: ForWait, wrong: func(t *Told) bool { return strings.HasPrefix(t.Said["--timeout"], "-") },
		on: "--timeout", why: "it is negative", hint: "give a duration such as 30s", code: failure.Usage},
	{of: ForStatus | ForWait, wrong: func(t *Told) bool {
		return strings.HasPrefix(t.Said["--interval"], "-") || t.Said["--interval"] == "0s"
	},
		on: "--interval", why: "it is not positive", hint: "give a duration such as 30s", code: failure.Usage},
	{of: ForStatus, wrong: func(t *Told) bool { return strings.HasPrefix(t.Said["--index"], "-") },
		on: "--index", why: "it is negative", hint: "indexes are counted from 0", code: failure.Usage},
	{of: chosen, wrong: func(t *Told) bool { return t.Completions != nil && *t.Completions < 1 },
		on: "--completions", why: "it is not positive", hint: "give how many indexes the Job has", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool { return len(t.Data.Checkpoint) > 0 && t.Data.CheckpointEvery == 0 },
		on: "--checkpoint-every", why: "it is not positive", hint: "give a duration such as 10m", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool { return t.Mapping.Items < 0 },
		on: "--items", why: "it is negative", hint: "give how many items there are", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool { return t.AtOnce() < 1 },
		on: "--jobs", why: "it is less than 1", hint: "give how many items or tasks run at the same time", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool { return t.Tasks.Lease < minLease },
		on: "--lease", why: "it is shorter than 1s", hint: "give a duration such as 1m", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool { return t.Mapping.Share && t.Tasks.Lease > maxClaim },
		on: "--lease", why: "it is longer than 24h, which nobody waits for with --share", hint: "give a duration such as 1m", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool { return t.Tasks.MaxAttempts != nil && *t.Tasks.MaxAttempts < 0 },
		on: "--max-attempts", why: "it is negative", hint: "0 is without end", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool { return t.Tasks.MaxTasks < 0 },
		on: "--max-tasks", why: "it is negative", hint: "0 is without end", code: failure.Usage},
	{of: runs, flag: tasksNoURL, why: "it is no URL",
		hint: "for a file of rows write file:///full/path.csv, for a queue redis://…, postgres://…, sqs://…, amqp://… or https://…", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool { return tasks(t) == hosted }, on: "--tasks", why: "what stands right behind file:// is a host, and no part of the path",
		hint: "write three slashes, and the full path: file:///full/path.csv", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool { return tasks(t) == noRows }, on: "--tasks", why: "its ending is none of a file of rows",
		hint: "for all objects below it a slash is missing at its end; files of rows are .csv, .tsv, .jsonl and .txt, and .gz after that; export others, such as .xlsx, as .csv", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool { return t.Process.Retries < 0 },
		on: "--retries", why: "it is negative", hint: "0 is never", code: failure.Usage},
	{of: runs, detail: badClaim, on: "--claim", hint: "give 1s to 24h, a minute as a rule", code: failure.Usage},
	{of: runs, detail: badTail, on: "--stderr-tail", hint: "give 0 to 1048576", code: failure.Usage},
	// A run watches its signals before it reads anything else.
	{of: runs &^ ForRun, detail: func(t *Told) string { return t.badSignal("--stop-signals") }, on: "--stop-signals", code: failure.Usage},
	{of: runs &^ ForRun, detail: func(t *Told) string { return t.badSignal("--signal") }, on: "--signal", code: failure.Usage},
}

// timeout is the deadline of a call to a store.
func (t *Told) timeout() time.Duration {
	if t.Store != nil {
		return t.Store.StoreTimeout
	}
	return t.Stores.StoreTimeout
}

// negative gives the first duration that is.
func negative(t *Told) string {
	if t.Store != nil {
		if t.Store.StoreWait < 0 {
			return "--store-wait"
		}
		return ""
	}
	for _, d := range [...]struct {
		flag string
		time.Duration
	}{
		{"--store-wait", t.Stores.StoreWait}, {"--marker-timeout", t.Stores.MarkerTimeout}, {"--require-wait", t.Mapping.RequireWait},
		{"--checkpoint-every", t.Data.CheckpointEvery},
		{"--claim", t.Markers.Claim}, {"--claim-wait", t.Markers.ClaimWait},
		{"--max-runtime", t.Tasks.mostRuntime()}, {"--idle-timeout", t.Tasks.IdleTimeout}, {"--drain", t.Tasks.Drain},
		{"--stop-grace", t.Process.StopGrace}, {"--sweep-grace", t.Process.SweepGrace}, {"--timeout", t.Process.Timeout},
	} {
		if d.Duration < 0 {
			return d.flag
		}
	}
	return ""
}

// badClaim tells what is wrong with the time of a claim: nobody believes a longer one.
func badClaim(t *Told) string {
	if d := t.Markers.Claim; d > maxClaim || d > 0 && d < minClaim {
		return d.String()
	}
	return ""
}

// A claim's time must be more than a store's answers take, and not more than those who wait
// believe (claim.MaxTTL).
const minClaim, maxClaim = time.Second, 24 * time.Hour

func noExitCode(t *Told) string {
	for _, codes := range [...][]int{t.Markers.DoneExitCodes, t.Markers.SkipExitCodes} {
		for _, code := range codes {
			if code < 0 || code > 255 {
				return fmt.Sprintf("%d is no exit code", code)
			}
		}
	}
	return ""
}

func badTail(t *Told) string {
	if n := t.Process.StderrTail; n != nil && (*n < 0 || *n > MaxStderrTail) {
		return fmt.Sprintf("%d bytes", *n)
	}
	return ""
}

// badSignal tells what is wrong with one of the signal flags.
func (t *Told) badSignal(flag string) string {
	if _, err := t.Process.SignalConfig(); err != nil && failure.From(err).On == flag {
		return failure.From(err).Cause.Error()
	}
	return ""
}

// stopSignals mean stop unless --stop-signals says which do.
const stopSignals = "TERM,INT,QUIT,HUP"

// SignalConfig reads the signal flags; announced are those by which the platform announces a
// kill, which mean stop too unless --stop-signals says which do. An error is a failure with
// exit code 64, for a name that is none.
func (c *Process) SignalConfig(announced ...string) (proc.SignalConfig, error) {
	bad := func(flag string, err error) error {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: flag, Cause: err}
	}
	names := c.StopSignals
	if names == nil {
		names = append(announced, stopSignals)
	}
	stop, err := proc.ParseSignals(strings.Join(names, ","))
	if err != nil {
		return proc.SignalConfig{}, bad("--stop-signals", err)
	}
	remap, err := proc.ParseRemap(strings.Join(c.Signal, ","))
	if err != nil {
		return proc.SignalConfig{}, bad("--signal", err)
	}
	return proc.SignalConfig{Stop: stop, Remap: remap, Group: c.SignalTarget == "group"}, nil
}
