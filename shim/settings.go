package shim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/proc"
)

// signalConfig reads the signal flags: exit code 64 for a name that is none.
func signalConfig(c *Config) (proc.SignalConfig, error) {
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
func (r *run) checkEach() error {
	if r.Each && r.jobs() < 1 {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--jobs", Cause: errors.New("it is less than 1"), Hint: "give how many items run at the same time"}
	}
	for _, c := range []struct {
		wrong      bool
		flags, why string
		hint       string
	}{
		{!r.Each && r.Jobs != nil, "--jobs", "it is about items, and there are none without --each", "give --each"},
		{!r.Each && r.KeepGoing, "--keep-going", "it is about items, and there are none without --each", "give --each"},
		{!r.Each, "", "", ""}, // all that follows is about it
		{r.Tasks != "" && !r.isManifest(), "--each and --tasks", "a queue gives its tasks one by one", "leave --each out, or name a manifest"},
		{r.Tasks == "" && r.Items == 0, "--each", "there are no items", "give --items N, or a manifest in --tasks"},
		{r.Tasks != "" && r.Items > 0, "--items and --tasks", "the items are the manifest's rows", "leave --items out"},
		{r.Completions == nil && r.id.Completions == nil, "--each", "how many indexes share the items isn't known", "set --completions or NTH_COMPLETIONS"},
		{r.TaskStdin, "--each and --task-stdin", "an item's stdin is empty", "its row is in NTH_ITEM_TASK"},
		{r.Drain > 0, "--each and --drain", "that is for queues", "--stop-grace says how long running items may take"},
	} {
		switch {
		case c.wrong && c.flags == "":
			return nil
		case c.wrong:
			return &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: c.flags, Cause: errors.New(c.why), Hint: c.hint}
		}
	}
	return nil
}

// minLease is the shortest time in which a renewal can get lost and be tried again.
const minLease = time.Second

// check refuses settings that contradict each other: exit code 78.
func (r *run) check() error {
	contradiction := func(flags, why, hint string) error {
		return &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: flags, Cause: errors.New(why), Hint: hint}
	}
	for _, code := range append(slices.Clone(r.DoneExitCodes), r.SkipExitCodes...) {
		if code < 0 || code > 255 {
			return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--done-exit-codes and --skip-exit-codes",
				Cause: fmt.Errorf("%d is no exit code", code), Hint: "exit codes are 0 to 255"}
		}
	}
	for _, code := range r.SkipExitCodes {
		if slices.Contains(r.DoneExitCodes, code) {
			return contradiction("--done-exit-codes and --skip-exit-codes", fmt.Sprintf("both name %d", code), "a code is success or bad, not both")
		}
	}
	if r.Markers == "" {
		switch {
		case r.RecordStart:
			return contradiction("--record-start", "there is no --markers URL to record it under", "give --markers")
		case r.OnChange != "fail":
			return contradiction("--on-change="+r.OnChange, "there are no markers without --markers", "give --markers")
		case len(r.SkipExitCodes) > 0:
			return contradiction("--skip-exit-codes", "a settled item needs a marker, and there is no --markers URL", "give --markers")
		}
	}
	for flag, d := range map[string]int64{
		"--store-wait": int64(r.StoreWait), "--marker-timeout": int64(r.MarkerTimeout), "--require-wait": int64(r.RequireWait),
		"--max-tasks": int64(r.MaxTasks), "--max-runtime": int64(r.MaxRuntime), "--idle-timeout": int64(r.IdleTimeout), "--drain": int64(r.Drain),
		"--stop-grace": int64(r.StopGrace), "--sweep-grace": int64(r.SweepGrace), "--timeout": int64(r.Timeout),
	} {
		if d < 0 {
			return &failure.Failure{Code: failure.Usage, Tried: "read", On: flag, Cause: errors.New("it is negative"), Hint: "give a duration such as 30s"}
		}
	}
	if r.StoreTimeout <= 0 {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--store-timeout", Cause: errors.New("it is not positive"), Hint: "give a duration such as 30s"}
	}
	if r.Items < 0 {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--items", Cause: errors.New("it is negative"), Hint: "give how many items there are"}
	}
	if r.Items > 0 && r.Completions == nil && r.id.Completions == nil {
		return contradiction("--items", "how many indexes share them isn't known", "set --completions or NTH_COMPLETIONS")
	}
	if err := r.checkEach(); err != nil {
		return err
	}
	if r.Lease < minLease {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--lease", Cause: fmt.Errorf("it is shorter than %s", minLease), Hint: "give a duration such as 1m"}
	}
	if r.MaxAttempts != nil && *r.MaxAttempts < 0 {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--max-attempts", Cause: errors.New("it is negative"), Hint: "0 is without end"}
	}
	if r.isItem() && (r.TaskID != "" || r.MaxAttempts != nil || r.MaxTasks > 0 || r.MaxRuntime > 0 || r.IdleTimeout > 0 || r.OnFailure == "stop" || r.FailURL != "" || r.TakeSQL != "" || len(r.HTTPBody) > 0) {
		return contradiction("--tasks", "it names one item for each index, and another flag is about a queue", "a queue has --keep-url and --done-url")
	}
	if r.TakeSQL == "" {
		for flag, sql := range map[string]string{"--keep-sql": r.KeepSQL, "--done-sql": r.DoneSQL, "--fail-sql": r.FailSQL, "--unfinished-sql": r.UnfinishedSQL} {
			if sql != "" {
				return contradiction(flag, "without --take-sql the statements are nth's own", "give --take-sql")
			}
		}
	}
	if r.Tasks == "" {
		for flag, given := range map[string]bool{"--task-id": r.TaskID != "", "--keep-url": r.KeepURL != "", "--done-url": r.DoneURL != "", "--fail-url": r.FailURL != "", "--unfinished-url": r.UnfinishedURL != "", "--http-header": len(r.HTTPHeader) > 0, "--http-body": len(r.HTTPBody) > 0, "--take-sql": r.TakeSQL != "", "--task-stdin": r.TaskStdin, "--max-attempts": r.MaxAttempts != nil,
			"--max-tasks": r.MaxTasks > 0, "--max-runtime": r.MaxRuntime > 0, "--idle-timeout": r.IdleTimeout > 0, "--drain": r.Drain > 0, "--on-failure": r.OnFailure == "stop"} {
			if given {
				return contradiction(flag, "there are no tasks without --tasks", "give --tasks")
			}
		}
	}
	if r.StderrTail != nil && (*r.StderrTail < 0 || *r.StderrTail > maxStderrTail) {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--stderr-tail",
			Cause: fmt.Errorf("%d bytes", *r.StderrTail), Hint: fmt.Sprintf("give 0 to %d", maxStderrTail)}
	}
	return nil
}
