package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/proc"
)

// SignalConfig reads the signal flags. An error is a failure with exit code 64, for a
// name that is none.
func (c *Process) SignalConfig() (proc.SignalConfig, error) {
	bad := func(flag string, err error) error {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: flag, Cause: err}
	}
	stop, err := proc.ParseSignals(strings.Join(c.StopSignals, ","))
	if err != nil {
		return proc.SignalConfig{}, bad("--stop-signals", err)
	}
	remap, err := proc.ParseRemap(strings.Join(c.Signal, ","))
	if err != nil {
		return proc.SignalConfig{}, bad("--signal", err)
	}
	return proc.SignalConfig{Stop: stop, Remap: remap, Group: c.SignalTarget == "group"}, nil
}

// checkEach refuses flags about items where there are none: exit code 78.
func (c *Config) checkEach(completions *int64) error {
	if c.Mapping.Each && c.AtOnce() < 1 {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--jobs", Cause: errors.New("it is less than 1"), Hint: "give how many items run at the same time"}
	}
	for _, rule := range []struct {
		wrong      bool
		flags, why string
		hint       string
	}{
		{!c.Mapping.Each && c.Mapping.Jobs != nil, "--jobs", "it is about items, and there are none without --each", "give --each; how many indexes run at the same time is --parallelism, of nth local and nth manifest"},
		{!c.Mapping.Each && c.Mapping.KeepGoing, "--keep-going", "it is about items, and there are none without --each", "give --each"},
		{!c.Mapping.Each, "", "", ""}, // all that follows is about it
		{c.Tasks.URL != "" && c.Source() != Rows, "--each and --tasks", "a queue gives its tasks one by one", "leave --each out, or name a manifest"},
		{c.Tasks.URL == "" && c.Mapping.Items == 0, "--each", "there are no items", "give --items N, or a manifest in --tasks"},
		{c.Tasks.URL != "" && c.Mapping.Items > 0, "--items and --tasks", "the items are the manifest's rows", "leave --items out"},
		{completions == nil, "--each", "how many indexes share the items isn't known", "set --completions or NTH_COMPLETIONS"},
		{c.Tasks.TaskStdin, "--each and --task-stdin", "an item's stdin is empty", "its row is in NTH_ITEM_TASK"},
		{c.Tasks.Drain > 0, "--each and --drain", "that is for queues", "--stop-grace says how long running items may take"},
	} {
		switch {
		case rule.wrong && rule.flags == "":
			return nil
		case rule.wrong:
			return &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: rule.flags, Cause: errors.New(rule.why), Hint: rule.hint}
		}
	}
	return nil
}

// MaxStderrTail is the most of a command's stderr that --stderr-tail keeps, in bytes: it is
// held in memory and in one record.
const MaxStderrTail = 1 << 20

// minLease is the shortest time in which a renewal can get lost and be tried again.
const minLease = time.Second

// Check refuses settings that contradict each other: exit code 78, or 64 for one that says
// nothing by itself. The completions are those that the platform tells; nil: none.
func (c *Config) Check(completions *int64) error {
	contradiction := func(flags, why, hint string) error {
		return &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: flags, Cause: errors.New(why), Hint: hint}
	}
	for _, code := range append(slices.Clone(c.Markers.DoneExitCodes), c.Markers.SkipExitCodes...) {
		if code < 0 || code > 255 {
			return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--done-exit-codes and --skip-exit-codes",
				Cause: fmt.Errorf("%d is no exit code", code), Hint: "exit codes are 0 to 255"}
		}
	}
	for _, code := range c.Markers.SkipExitCodes {
		if slices.Contains(c.Markers.DoneExitCodes, code) {
			return contradiction("--done-exit-codes and --skip-exit-codes", fmt.Sprintf("both name %d", code), "a code is success or bad, not both")
		}
	}
	if c.Markers.URL == "" {
		switch {
		case c.Markers.RecordStart:
			return contradiction("--record-start", "there is no --markers URL to record it under", "give --markers")
		case c.Markers.OnChange != "fail":
			return contradiction("--on-change="+c.Markers.OnChange, "there are no markers without --markers", "give --markers")
		case len(c.Markers.SkipExitCodes) > 0:
			return contradiction("--skip-exit-codes", "a settled item needs a marker, and there is no --markers URL", "give --markers")
		}
	}
	for flag, d := range map[string]int64{
		"--store-wait": int64(c.Stores.StoreWait), "--marker-timeout": int64(c.Stores.MarkerTimeout), "--require-wait": int64(c.Mapping.RequireWait),
		"--max-tasks": int64(c.Tasks.MaxTasks), "--max-runtime": int64(c.Tasks.MaxRuntime), "--idle-timeout": int64(c.Tasks.IdleTimeout), "--drain": int64(c.Tasks.Drain),
		"--stop-grace": int64(c.Process.StopGrace), "--sweep-grace": int64(c.Process.SweepGrace), "--timeout": int64(c.Process.Timeout),
	} {
		if d < 0 {
			return &failure.Failure{Code: failure.Usage, Tried: "read", On: flag, Cause: errors.New("it is negative"), Hint: "give a duration such as 30s"}
		}
	}
	if c.Stores.StoreTimeout <= 0 {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--store-timeout", Cause: errors.New("it is not positive"), Hint: "give a duration such as 30s"}
	}
	if c.Mapping.Items < 0 {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--items", Cause: errors.New("it is negative"), Hint: "give how many items there are"}
	}
	if c.Mapping.Items > 0 && completions == nil {
		return contradiction("--items", "how many indexes share them isn't known", "set --completions or NTH_COMPLETIONS")
	}
	if err := c.checkEach(completions); err != nil {
		return err
	}
	if c.Tasks.Lease < minLease {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--lease", Cause: fmt.Errorf("it is shorter than %s", minLease), Hint: "give a duration such as 1m"}
	}
	if c.Tasks.MaxAttempts != nil && *c.Tasks.MaxAttempts < 0 {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--max-attempts", Cause: errors.New("it is negative"), Hint: "0 is without end"}
	}
	if (c.Source() == Item || c.Source() == Rows) && (c.Tasks.TaskID != "" || c.Tasks.MaxAttempts != nil || c.Tasks.MaxTasks > 0 || c.Tasks.MaxRuntime > 0 || c.Tasks.IdleTimeout > 0 || c.Tasks.OnFailure == "stop" || c.API.FailURL != "" || c.SQL.TakeSQL != "" || len(c.API.HTTPBody) > 0) {
		return contradiction("--tasks", "it names one item for each index, and another flag is about a queue", "a queue has --keep-url and --done-url")
	}
	if c.SQL.TakeSQL == "" {
		for flag, sql := range map[string]string{"--keep-sql": c.SQL.KeepSQL, "--done-sql": c.SQL.DoneSQL, "--fail-sql": c.SQL.FailSQL, "--unfinished-sql": c.SQL.UnfinishedSQL} {
			if sql != "" {
				return contradiction(flag, "without --take-sql the statements are nth's own", "give --take-sql")
			}
		}
	}
	if c.Tasks.URL == "" {
		for flag, given := range map[string]bool{"--task-id": c.Tasks.TaskID != "", "--keep-url": c.API.KeepURL != "", "--done-url": c.API.DoneURL != "", "--fail-url": c.API.FailURL != "", "--unfinished-url": c.API.UnfinishedURL != "", "--http-header": len(c.API.HTTPHeader) > 0, "--http-body": len(c.API.HTTPBody) > 0, "--take-sql": c.SQL.TakeSQL != "", "--task-stdin": c.Tasks.TaskStdin, "--max-attempts": c.Tasks.MaxAttempts != nil,
			"--max-tasks": c.Tasks.MaxTasks > 0, "--max-runtime": c.Tasks.MaxRuntime > 0, "--idle-timeout": c.Tasks.IdleTimeout > 0, "--drain": c.Tasks.Drain > 0, "--on-failure": c.Tasks.OnFailure == "stop"} {
			if given {
				return contradiction(flag, "there are no tasks without --tasks", "give --tasks")
			}
		}
	}
	if c.Process.StderrTail != nil && (*c.Process.StderrTail < 0 || *c.Process.StderrTail > MaxStderrTail) {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--stderr-tail",
			Cause: fmt.Errorf("%d bytes", *c.Process.StderrTail), Hint: fmt.Sprintf("give 0 to %d", MaxStderrTail)}
	}
	return nil
}
