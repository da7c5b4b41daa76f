package config

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/identity"
)

func number(n int64) *int64 { return &n }

func small(n int) *int { return &n }

// runOf is a command that takes the flags of nth run, and is told nothing wrong.
func runOf(command Commands, change func(*Told)) Told {
	t := Told{For: command, Completions: number(10), Said: map[string]string{}, Config: &Config{
		Markers: Markers{OnChange: "fail", DoneExitCodes: []int{0}}, Stores: Stores{StoreTimeout: time.Second},
		Tasks: Tasks{Lease: time.Minute, OnFailure: "continue"}, Process: Process{StopSignals: []string{"TERM"}},
	}}
	change(&t)
	return t
}

// slurm is the index of a task of an array of Slurm's.
func slurm(t *Told, s identity.Settings, number string) {
	vars := map[string]string{"SLURM_ARRAY_TASK_ID": number, "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MAX": "2"}
	id, err := identity.Resolve(s, func(name string) (string, bool) { v, ok := vars[name]; return v, ok }, "")
	if err != nil {
		panic(err)
	}
	t.Identity, t.Completions = &id, id.Total()
}

func run(change func(*Told)) Told { return runOf(ForRun, change) }

// lookOf is a command that looks at the markers from outside.
func lookOf(command Commands, said ...string) Told {
	t := Told{For: command, Store: &Store{StoreTimeout: time.Second}, Said: map[string]string{}}
	for i := 0; i < len(said); i += 2 {
		t.Said[said[i]] = said[i+1]
	}
	return t
}

// shared is a run that shares its items.
func shared(change func(*Told)) Told {
	return run(func(t *Told) {
		n := int64(4)
		t.Mapping.Share, t.Mapping.Each, t.Mapping.Items, t.Completions, t.Markers.URL = true, true, 100, &n, "file:///m"
		change(t)
	})
}

// brokenRules has for every rule of the table what breaks that one alone.
var brokenRules = []struct {
	told Told
	want string
	code failure.Code
}{
	{runOf(ForPlan, func(t *Told) { t.Said["--index"] = "3" }), "--index: the plan is of every index, and of its first attempt", 78},
	{runOf(ForLocal, func(t *Told) { t.Said["--index-offset"] = "-1" }), "--index-offset: each index is told its own, counted from 0", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--pod"] = "p" }), "--pod: each pod of a Job is told its own", 78},

	{run(func(t *Told) { t.Markers.DoneExitCodes = []int{0, 256} }), "--done-exit-codes and --skip-exit-codes: 256 is no exit code", 64},
	{run(func(t *Told) { t.Markers.URL, t.Markers.SkipExitCodes = "file:///m", []int{-1} }), "--done-exit-codes and --skip-exit-codes: -1 is no exit code", 64},
	{lookOf(ForReset, "--all", "true", "--markers", "s3://b/p\n"), "--markers: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Markers.URL = "s3://b/<<\n.Index>>\n" }), "--markers: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Markers.Logs = "s3://b/\r\n" }), "--logs: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Markers.DoneIf = "s3://b/a\tb" }), "--done-if: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Tasks.URL = "redis://h/0?queue=q\n" }), "--tasks: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Messages.QuitURL = "http://h/\x7f" }), "--quit-url: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Mapping.Require = []string{"a\n", "s3://b/x\n"} }), "--require: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Tasks.URL, t.API.KeepURL = "http://h/t", "http://h/\n" }), "--keep-url: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Tasks.URL, t.API.DoneURL = "http://h/t", "http://h/\n" }), "--done-url: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Tasks.URL, t.API.DoneURL, t.API.FailURL = "http://h/t", "http://h/", "http://h/\n" }), "--fail-url: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) {
		t.Tasks.URL, t.API.DoneURL, t.API.UnfinishedURL = "http://h/t", "http://h/", "http://h/\n"
	}), "--unfinished-url: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Tasks.URL = "postgres://u:2024#pw@host/d" }), "--tasks: it has a #, behind which nothing is sent", 64},
	{run(func(t *Told) { t.Tasks.URL, t.API.DoneURL = "http://h/t", "http://h/<<replace \"#\" \"\" .TaskID>>#x" }), "--done-url: it has a #, behind which nothing is sent", 64},
	{run(func(t *Told) { t.Stores.StoreWait = -1 }), "--store-wait: it is negative", 64},
	{run(func(t *Told) { t.Stores.MarkerTimeout = -1 }), "--marker-timeout: it is negative", 64},
	{run(func(t *Told) { t.Mapping.RequireWait = -1 }), "--require-wait: it is negative", 64},
	{run(func(t *Told) { t.Tasks.MaxRuntime = new(time.Duration(-1)) }), "--max-runtime: it is negative", 64},
	{run(func(t *Told) { t.Tasks.IdleTimeout = -1 }), "--idle-timeout: it is negative", 64},
	{run(func(t *Told) { t.Tasks.Drain = -1 }), "--drain: it is negative", 64},
	{run(func(t *Told) { t.Process.StopGrace = -1 }), "--stop-grace: it is negative", 64},
	{run(func(t *Told) { t.Process.SweepGrace = -1 }), "--sweep-grace: it is negative", 64},
	{run(func(t *Told) { t.Process.Timeout = -1 }), "--timeout: it is negative", 64},
	{run(func(t *Told) { t.Process.Retries = -1 }), "--retries: it is negative", 64},
	{Told{For: ForCheck, Store: &Store{StoreTimeout: 1, StoreWait: -1}}, "--store-wait: it is negative", 64},
	{run(func(t *Told) { t.Data.CheckpointEvery = -1 }), "--checkpoint-every: it is negative", 64},
	{run(func(t *Told) { t.Markers.URL, t.Data.Checkpoint = "file:///m", []string{"c=file:///c"} }), "--checkpoint-every: it is not positive", 64},
	{run(func(t *Told) { t.Data.Input = []string{"file:///a=b", "file:///a\n=b"} }), "--input: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) {
		t.Markers.URL, t.Data.Output = "file:///m", []string{"a\n=file:///<<\n>>b", "a=file:///b\n"}
	}), "--output: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) {
		t.Markers.URL, t.Data.Checkpoint, t.Data.CheckpointEvery = "file:///m", []string{"a=file:///b\n"}, 1
	}), "--checkpoint: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Data.Stdin = "file:///a\n" }), "--stdin: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Markers.URL, t.Data.Stdout = "file:///m", "file:///a\n" }), "--stdout: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) {
		t.Markers.URL, t.Data.Stdout, t.Data.KeepFailed = "file:///m", "file:///a", []string{"file:///b\n"}
	}), "--keep-failed: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) { t.Stores.StoreTimeout = 0 }), "--store-timeout: it is not positive", 64},
	{Told{For: ForCheck, Store: &Store{}}, "--store-timeout: it is not positive", 64},
	{lookOf(ForStatus, "--interval", "0s"), "--interval: it is not positive", 64},
	{lookOf(ForWait, "--interval", "0s"), "--interval: it is not positive", 64},
	{lookOf(ForWait, "--timeout", "-5s"), "--timeout: it is negative", 64},
	{lookOf(ForWait, "--success", "file:///end\n"), "--success: it has a control character in it, such as a line break at its end", 64},
	{lookOf(ForStatus, "--interval", "-5s"), "--interval: it is not positive", 64},
	{lookOf(ForStatus, "--index", "-3"), "--index: it is negative", 64},
	{Told{For: ForReset, Store: &Store{StoreTimeout: 1}, Completions: number(0), Said: map[string]string{"--all": "true"}}, "--completions: it is not positive", 64},
	{run(func(t *Told) { t.Mapping.Items = -1 }), "--items: it is negative", 64},
	{run(func(t *Told) { t.Mapping.Items, t.Mapping.Each, t.Mapping.Jobs = 3, true, small(0) }), "--jobs: it is less than 1", 64},
	{run(func(t *Told) { t.Tasks.Lease = time.Millisecond }), "--lease: it is shorter than 1s", 64},
	{run(func(t *Told) { t.Tasks.URL, t.Tasks.MaxAttempts = "redis://h/0?queue=q", small(-1) }), "--max-attempts: it is negative", 64},
	{run(func(t *Told) { t.Tasks.MaxTasks = -1 }), "--max-tasks: it is negative", 64},
	{run(func(t *Told) { t.Markers.URL, t.Markers.Claim = "file:///m", 25*time.Hour }), "--claim: 25h0m0s", 64},
	{run(func(t *Told) { t.Markers.URL, t.Markers.Claim = "file:///m", time.Millisecond }), "--claim: 1ms", 64},
	{run(func(t *Told) { t.Process.StderrTail = small(-1) }), "--stderr-tail: -1 bytes", 64},
	{run(func(t *Told) { t.Process.StderrTail = small(MaxStderrTail + 1) }), "--stderr-tail: 1048577 bytes", 64},
	{runOf(ForLocal, func(t *Told) { t.Process.StopSignals = []string{"NONE"} }), `--stop-signals: there is no signal "NONE"; write TERM, INT, HUP, QUIT, USR1, … or a number`, 64},
	{runOf(ForPlan, func(t *Told) { t.Process.Signal = []string{"TERM"} }), `--signal: "TERM" is not FROM=TO, such as TERM=INT, or HUP= to drop it`, 64},

	{run(func(t *Told) { t.Markers.URL, t.Markers.SkipExitCodes = "file:///m", []int{0} }), "--done-exit-codes and --skip-exit-codes: both name 0", 78},
	{run(func(t *Told) { t.Markers.RecordStart = true }), "--record-start: there is no --markers URL to record it under", 78},
	{run(func(t *Told) { t.Markers.Claim = time.Minute }), "--claim: a claim stands beside the markers, and there is no --markers URL", 78},
	{run(func(t *Told) { t.Markers.Success = "file:///end" }), "--success: whether all is done the markers tell, and there is no --markers URL", 78},
	{run(func(t *Told) {
		t.Markers.URL, t.Markers.Success, t.Tasks.URL = "file:///m", "file:///end", "redis://h/0?queue=q"
	}),
		"--success and --tasks: when a queue's tasks are all done only its workers know", 78},
	{run(func(t *Told) { t.Markers.URL, t.Markers.Success = "file:///m", "file:///<<add .Index 1>>" }),
		"--success and --markers: the document is of the whole Job, and <<add .Index 1>> is one run's", 78},
	{run(func(t *Told) { t.Markers.URL, t.Markers.Success = "file:///<<.Attempt>>", "file:///end" }),
		"--success and --markers: the document is of the whole Job, and <<.Attempt>> is one run's", 78},
	{run(func(t *Told) { t.Markers.URL, t.Markers.Success, t.Completions = "file:///m", "file:///end", nil }), "--success: how many indexes must be done isn't known", 78},
	{run(func(t *Told) {
		t.Markers.URL, t.Markers.Success = "file:///m", "file:///end"
		slurm(t, identity.Settings{Completions: number(2)}, "2")
	}), "--success: index 2 is none of 0 to 1, which must be done", 78},
	{run(func(t *Told) { t.Markers.ClaimWait = time.Minute }), "--claim-wait: nobody is waited for without --claim", 78},
	{run(func(t *Told) {
		t.Markers.URL, t.Markers.Claim, t.Tasks.URL = "file:///m", time.Minute, "redis://h/0?queue=q"
	}),
		"--claim and --tasks: a claim is of an index, and a queue's tasks have leases of their own", 78},
	{run(func(t *Told) { t.Markers.OnChange = "rerun" }), "--on-change=rerun: there are no markers without --markers", 78},
	{run(func(t *Told) { t.Markers.SkipExitCodes = []int{9} }), "--skip-exit-codes: a settled item needs a marker, and there is no --markers URL", 78},
	{runOf(ForPlan, func(t *Told) { t.Index.Indexes, t.Index.IndexOffset = "1-3", 1 }), "--index-offset and --indexes: the list already says which item it is", 78},
	{runOf(ForRun, func(t *Told) { t.Tasks.URL = "rows.csv" }), "--tasks rows.csv: it is no URL", 64},
	{runOf(ForLocal, func(t *Told) { t.Tasks.URL = "/data/rows-<<.Job>>.csv" }), "--tasks /data/rows-<<.Job>>.csv: it is no URL", 64},
	{runOf(ForPlan, func(t *Told) { t.Tasks.URL = "rows.xlsx" }), "--tasks rows.xlsx: it is no URL", 64},
	{runOf(ForPlan, func(t *Told) { t.Tasks.URL = "user:canary@host/rows.csv" }), "--tasks: it is no URL", 64},
	{runOf(ForLocal, func(t *Told) { t.Tasks.URL = "file://rows.csv" }), "--tasks: what stands right behind file:// is a host, and no part of the path", 64},
	{runOf(ForPlan, func(t *Told) { t.Tasks.URL = "file://data/rows.csv" }), "--tasks: what stands right behind file:// is a host, and no part of the path", 64},
	{runOf(ForPlan, func(t *Told) { t.Tasks.URL = "file:///data/rows.xlsx" }), "--tasks: its ending is none of a file of rows", 64},
	{runOf(ForRun, func(t *Told) { t.Tasks.URL = "s3://b/<<.Index>>" }), "--tasks: its ending is none of a file of rows", 64},
	{runOf(ForPlan, func(t *Told) { t.Tasks.URL = "redis://h/0?queue=q" }), "--tasks: which tasks there will be is the queue's to say", 64},
	{runOf(ForPlan, func(t *Told) { t.Mapping.Items, t.Completions = 3, nil }), "--items and --each: how many indexes share the items isn't given", 64},
	{run(func(t *Told) { t.Mapping.Items, t.Completions = 3, nil }), "--items: how many indexes share them isn't known", 78},
	{run(func(t *Told) {
		t.Mapping.Items = 4
		slurm(t, identity.Settings{Completions: number(2)}, "2")
	}), "--items and --each: index 2 is none of 0 to 1, which share the items", 78},
	{run(func(t *Told) {
		t.Mapping.Each, t.Tasks.URL = true, "file:///r.csv"
		slurm(t, identity.Settings{Completions: number(2), IndexOffset: 1}, "1")
	}), "--items and --each: index 2 is none of 0 to 1, which share the items", 78},
	{run(func(t *Told) { t.Mapping.Jobs = small(2) }), "--jobs: it is about items or a queue's tasks, and there are none without --each or a queue in --tasks", 78},
	{run(func(t *Told) { t.Tasks.URL, t.Mapping.Jobs = "redis://h/0?queue=q", small(0) }), "--jobs: it is less than 1", 64},
	{run(func(t *Told) {
		t.Tasks.URL, t.Mapping.Jobs, t.Markers.URL, t.Data.Output = "redis://h/0?queue=q", small(2), "file:///m", []string{"/tmp/<<.Slot>>=s3://b/<<.TaskID>>", "/tmp/<<.Index>>=s3://b/<<.TaskID>>"}
	}), "--output: its path is the same for each task, and those that run at the same time would have each other's files", 78},
	{run(func(t *Told) { t.Mapping.Share, t.Markers.URL = true, "file:///m" }), "--share: it is about items, and there are none without --each", 78},
	{shared(func(t *Told) { t.Markers.URL = "" }), "--share: who has which items stands beside the markers, and there is no --markers URL", 78},
	{shared(func(t *Told) { t.Markers.URL = "file:///m/<<.Index>>" }), "--share and --markers: the indexes share their items through one directory, and --markers names <<.Index>>", 78},
	{shared(func(t *Told) { t.Markers.Claim = time.Minute }), "--share and --claim: what is shared is claimed piece by piece already, for the time of --lease", 78},
	{shared(func(t *Told) { t.Tasks.Lease = 25 * time.Hour }), "--lease: it is longer than 24h, which nobody waits for with --share", 64},
	{run(func(t *Told) { t.Mapping.KeepGoing = true }), "--keep-going: it is about items, and there are none without --each", 78},
	{run(func(t *Told) { t.Mapping.Each, t.Tasks.URL = true, "redis://h/0?queue=q" }), "--each and --tasks: a queue gives its tasks one by one", 78},
	{run(func(t *Told) { t.Mapping.Each = true }), "--each: there are no items", 78},
	{run(func(t *Told) { t.Mapping.Each, t.Mapping.Items, t.Tasks.URL = true, 3, "file:///r.csv" }), "--items and --tasks: the items are those of --tasks", 78},
	{run(func(t *Told) { t.Mapping.Each, t.Tasks.URL, t.Completions = true, "file:///r.csv", nil }), "--each: how many indexes share the items isn't known", 78},
	{run(func(t *Told) { t.Mapping.Each, t.Tasks.URL, t.Tasks.TaskStdin = true, "file:///r.csv", true }), "--each and --task-stdin: an item's stdin is empty", 78},
	{run(func(t *Told) { t.Mapping.Each, t.Tasks.URL, t.Tasks.Drain = true, "file:///r.csv", 1 }), "--each and --drain: that is for queues", 78},

	{run(func(t *Told) { t.Mapping.Items, t.Mapping.Each, t.Data.Input = 3, true, []string{"file:///a=b"} }), "--input: it is not for --each: an index's items have one marker, and no commit each", 78},
	{run(func(t *Told) {
		t.Mapping.Items, t.Mapping.Each, t.Markers.URL, t.Data.Output = 3, true, "file:///m", []string{"b=file:///a"}
	}), "--output: it is not for --each: an index's items have one marker, and no commit each", 78},
	{run(func(t *Told) { t.Mapping.Items, t.Mapping.Each, t.Data.KeepFailed = 3, true, []string{"file:///a"} }), "--keep-failed: it is not for --each: an index's items have one marker, and no commit each", 78},
	{run(func(t *Told) { t.Data.Output = []string{"b=file:///a"} }), "--output: whose bytes count is kept with the markers, and there is no --markers URL", 78},
	{run(func(t *Told) { t.Data.Stdout = "file:///a" }), "--stdout: whose bytes count is kept with the markers, and there is no --markers URL", 78},
	{run(func(t *Told) { t.Data.Checkpoint, t.Data.CheckpointEvery = []string{"b=file:///a"}, 1 }), "--checkpoint: whose bytes count is kept with the markers, and there is no --markers URL", 78},
	{run(func(t *Told) {
		t.Markers.URL, t.Markers.DoneIf, t.Data.Output = "file:///m", "s3://b/<<.Index>>", []string{"o=s3://b/<<.Index>>"}
	}), "--output: --done-if names it too: what is half published would look done", 78},
	{run(func(t *Told) {
		t.Markers.URL, t.Markers.DoneIf, t.Data.Stdout = "file:///m", "s3://b/<<.Index>>", "s3://b/<<.Index>>"
	}), "--stdout: --done-if names it too: what is half published would look done", 78},
	{run(func(t *Told) {
		t.Tasks.URL, t.Tasks.TaskStdin, t.Data.Stdin = "file:///r.csv", true, "file:///a"
	}), "--stdin and --task-stdin: the command has one stdin", 78},
	{run(func(t *Told) { t.Markers.URL, t.Data.KeepFailed = "file:///m", []string{"file:///f"} }), "--keep-failed: there are no outputs that could be kept", 78},
	{run(func(t *Told) { t.Data.KeepFailed = []string{"w/=file:///f/\n"} }), "--keep-failed: it has a control character in it, such as a line break at its end", 64},
	{run(func(t *Told) {
		t.Markers.URL, t.Data.Stdout, t.Data.KeepFailed = "file:///m", "file:///o", []string{"file:///f", "w=file:///w", "file:///g?create_dir=true"}
	}), "--keep-failed: it says more than once where the outputs are kept", 64},
	{run(func(t *Told) { t.Data.CheckpointEvery = time.Minute }), "--checkpoint-every: there is nothing to upload", 78},
	{runOf(ForLocal, func(t *Told) { t.Data.Input = []string{"file:///<<.Index>>=/w/<<.Index>>", "file:///<<.Index>>=/w/in"} }), "--input: its path is the same for each index, and those that run at the same time here would have each other's files", 78},
	{runOf(ForLocal, func(t *Told) {
		t.Markers.URL, t.Data.Output, t.Completions = "file:///m", []string{"o=file:///<<.Index>>"}, nil
	}), "--output: its path is the same for each index, and those that run at the same time here would have each other's files", 78},

	{run(func(t *Told) { t.Tasks.TaskID = "x" }), "--task-id: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.Tasks.MaxAttempts = small(0) }), "--max-attempts: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.Tasks.MaxTasks = 1 }), "--max-tasks: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.Tasks.MaxRuntime = new(time.Duration(1)) }), "--max-runtime: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.Tasks.IdleTimeout = 1 }), "--idle-timeout: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.Tasks.OnFailure = "stop" }), "--on-failure: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.API.FailURL = "x" }), "--fail-url: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.API.UnfinishedURL = "x" }), "--unfinished-url: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.API.HTTPBody = []string{"x"} }), "--http-body: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.SQL.TakeSQL = "x" }), "--take-sql: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.API.KeepURL = "x" }), "--keep-url: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.API.DoneURL = "x" }), "--done-url: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.API.HTTPHeader = []string{"x"} }), "--http-header: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.Tasks.TaskStdin = true }), "--task-stdin: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.Tasks.Drain = 1 }), "--drain: there are no tasks without --tasks", 78},
	{run(func(t *Told) { t.Tasks.URL, t.Tasks.MaxTasks = "https://h/<<.Index>>", 1 }), "--max-tasks: it is about a queue, and --tasks names one item for each index", 78},
	{run(func(t *Told) { t.Tasks.URL, t.API.UnfinishedURL = "https://h/<<.Index>>", "x" }), "--unfinished-url: it is about a queue, and --tasks names one item for each index", 78},
	{run(func(t *Told) { t.Tasks.URL = "s3://b/in/**/*.csv" }), "--tasks: which object an index has is pinned with the markers, and there is no --markers URL: an object that comes meanwhile would move the numbers", 78},
	{run(func(t *Told) { t.Tasks.URL, t.Tasks.Exclude = "file:///r.csv", []string{"x"} }), "--tasks-exclude: it is about many objects, and --tasks doesn't end in a slash or have a glob", 78},
	{run(func(t *Told) { t.Tasks.URL, t.Markers.URL = "file:///in/", "file:///m/<<.Slot>>" }), "--tasks and --markers: each run would have a list of its own, for --markers names <<.Slot>>", 78},
	{run(func(t *Told) { t.Tasks.URL, t.Markers.URL = "file:///in/", "file:///m/<<.RunID>>" }), "--tasks and --markers: each run would have a list of its own, for --markers names <<.RunID>>", 78},
	{run(func(t *Told) { t.Tasks.URL, t.Markers.URL = "file:///in/<<add .Index 1>>/", "file:///m" }), "--tasks: an index is one of many objects, and --tasks names <<add .Index 1>>", 78},
	{run(func(t *Told) {
		t.Tasks.URL, t.Markers.URL, t.Mapping.Each, t.Completions = "file:///rows-<<.Index>>.csv", "file:///m", true, new(int64)
	}), "--tasks: the indexes share the items of one file, and --tasks names <<.Index>>", 78},
	{run(func(t *Told) { t.Tasks.GroupBy = "x" }), "--group-by: it is about many objects, and --tasks doesn't end in a slash or have a glob", 78},
	{run(func(t *Told) { t.Tasks.URL, t.API.DoneURL = "file:///r.csv", "x" }), "--done-url: it is of an HTTP API, and --tasks names a file of rows", 78},
	{run(func(t *Told) { t.Tasks.URL, t.API.KeepURL = "file:///r.csv", "x" }), "--keep-url: it is of an HTTP API, and --tasks names a file of rows", 78},
	{run(func(t *Told) { t.Tasks.URL, t.API.HTTPHeader = "file:///r.csv", []string{"x"} }), "--http-header: it is of an HTTP API, and --tasks names a file of rows", 78},
	{run(func(t *Told) { t.SQL.KeepSQL = "x" }), "--keep-sql: without --take-sql the statements are nth's own", 78},
	{run(func(t *Told) { t.SQL.DoneSQL = "x" }), "--done-sql: without --take-sql the statements are nth's own", 78},
	{run(func(t *Told) { t.SQL.FailSQL = "x" }), "--fail-sql: without --take-sql the statements are nth's own", 78},
	{run(func(t *Told) { t.SQL.UnfinishedSQL = "x" }), "--unfinished-sql: without --take-sql the statements are nth's own", 78},

	{lookOf(ForStatus, "--watch", "true", "--used", "true"), "--watch: it has a view of its own: leave out --list, --index, --format, --used and --reason", 78},
	{lookOf(ForStatus, "--watch", "true", "--kubernetes", "-"), "--watch and --kubernetes -: stdin can be read once; give a file that you keep up to date", 78},
	{lookOf(ForStatus, "--index", "3", "--indexes", "3"), "--index: it shows one index: leave out --list, --reason, --used and --indexes", 78},
	{lookOf(ForStatus, "--index", "3", "--format", "html"), "--index and --format=html: the page is of the whole Job; it tells of each index", 78},
	{lookOf(ForStatus, "--logs", "true"), "--logs: it needs --index N", 78},
	{lookOf(ForStatus, "--logs", "true", "--index", "3", "--format", "json"), "--logs and --format: outputs are printed as they are", 78},
	{lookOf(ForStatus, "--list", "done", "--format", "json"), "--list: it prints the list alone: leave out --format and --used", 78},
	{lookOf(ForStatus, "--list", "failed,missing", "--reason", "oom"), "--reason and --list: only the failed have a reason: --list failed", 78},
	{lookOf(ForMark, "--indexes", "3", "--reason", " "), "--reason: it is not given", 64},
	{lookOf(ForMark, "--all", "true", "--reason", "x"), "--completions: it is not given", 64},
	{lookOf(ForReset, "--stale", "true", "--failed", "true"), "--stale: it goes by the runs and not by the state of their items: leave out --failed, --missing and --claims", 78},
	{lookOf(ForReset, "--all", "true", "--older-than", "1h"), "--older-than: nothing is older or younger without --stale", 78},
	{lookOf(ForReset, "--all", "true", "--checkpoints", "s3://b/state/"), "--checkpoints: without --stale they stay", 78},
	{lookOf(ForReset), "--indexes, --failed, --missing and --all: none of them is given", 64},
	{lookOf(ForReset, "--failed", "true", "--all", "true"), "--indexes, --failed, --missing and --all: more than one of them is given", 64},
	{runOf(ForLocal, func(t *Told) { t.Said["--chaos-compare"] = "out" }), "--chaos-compare: nothing is compared without --chaos", 78},
	{runOf(ForLocal, func(t *Told) { t.Said["--chaos"] = "7" }), "--chaos: what the command writes isn't said, so nothing could be compared", 78},
	{runOf(ForLocal, func(t *Told) {
		t.Said["--chaos"], t.Said["--chaos-compare"], t.Tasks.URL = "7", "out", "redis://h/0?queue=q"
	}), "--chaos and --tasks: the first run would take the queue's tasks away, and the next one find none", 78},
	{runOf(ForLocal, func(t *Told) {
		t.Said["--chaos"], t.Said["--chaos-compare"], t.Markers.Logs = "7", "out", "s3://b/logs"
	}), "--chaos and --logs: what disturbed runs write would stand among the Job's logs", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--schedule"], t.Said["--kind"] = "@daily", "jobset" }), "--schedule: only a CronJob has one", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--sbatch"] = "partition=short" }), "--sbatch: only a script of Slurm's has them", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--replicas"] = "2" }), "--replicas: only a JobSet has them", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--append-to"] = "f" }), "--append-to: only a JobSet has more than one kind of Jobs", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--replicated-job"] = "f" }), "--replicated-job: only a JobSet has more than one kind of Jobs", 78},
	{runOf(ForManifest, func(t *Told) {
		t.Said["--kind"], t.Said["--depends-on"], t.Said["--append-to"] = "cronjob", "f", "f"
	}), "--append-to: only a JobSet has more than one kind of Jobs", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--kind"], t.Said["--depends-on"] = "jobset", "f" }), "--depends-on: there is no other Job in the JobSet", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--kind"], t.Said["--append-to"], t.Said["--ttl"] = "jobset", "f", "1h" }), "--ttl: the JobSet of --append-to has its own", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--kind"], t.Said["--append-to"], t.Said["--queue-name"] = "jobset", "f", "q" }), "--queue-name: the JobSet of --append-to has its own", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--kind"], t.Said["--append-to"], t.Said["--kubernetes"] = "jobset", "-", "-" }), "--append-to - and --kubernetes -: stdin can be read once", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--workload-priority-class"] = "high" }), "--workload-priority-class: only what waits in a queue has one", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--indexes"], t.Said["--failed"] = "3", "true" }), "--indexes, --missing and --failed: each says which indexes are repaired", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--missing"], t.Said["--reason"] = "true", "oom" }), "--reason: only what has failed has one", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--missing"], t.Said["--success-policy"] = "true", "0" }), "--success-policy: of a repair, whose pods count from 0, it would name other indexes", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--missing"], t.Said["--kind"] = "true", "cronjob" }), "--kind: a repair is made once", 78},
	{runOf(ForManifest, func(t *Told) { t.Said["--missing"], t.Tasks.URL = "true", "redis://h/0?queue=q" }), "--tasks: a queue's tasks have no indexes", 78},
}

// TestRules: each rule of the table is broken by something that breaks no other, and says
// what and with which exit code.
// TestTasks: what --tasks can be is refused by no rule.
func TestTasks(t *testing.T) {
	for _, url := range []string{`<<env "QUEUE">>`, "file://localhost/data/rows.csv", `file://<<env "DIR">>/rows.csv`, "file:///r.csv", "s3://b/<<.Job>>.tsv.gz",
		"redis://h/0?queue=q", `redis://<<secret "P">>@h`, "https://h/<<.Index>>", "postgres:///?table=t"} {
		if err := Check(run(func(t *Told) { t.Tasks.URL = url })); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestRules(t *testing.T) {
	tried := map[*rule]bool{}
	for _, tt := range brokenRules {
		var told []string
		for _, part := range table() {
			for i := range part {
				if err := part[i].refuse(&tt.told); err != nil {
					tried[&part[i]] = true
					told = append(told, short(err))
				}
			}
		}
		if diff := cmp.Diff([]string{tt.want}, told); diff != "" {
			t.Error(diff)
		}
		if err := Check(tt.told); err == nil || short(err) != tt.want || failure.From(err).Code != tt.code {
			t.Errorf("%v, want %s with code %d", err, tt.want, tt.code)
		}
	}
	for _, part := range table() {
		for i, r := range part {
			if !tried[&part[i]] {
				t.Errorf("nothing here breaks this rule: %s: %s", r.on, r.why)
			}
		}
	}
}

// short is a failure without what was tried and the hint.
func short(err error) string {
	f := failure.From(err)
	return fmt.Sprintf("%s: %v", f.On, f.Cause)
}

// TestNothingWrong: what is told right breaks no rule.
func TestNothingWrong(t *testing.T) {
	for _, told := range []Told{
		run(func(*Told) {}), run(func(t *Told) { t.Mapping.Require = []string{"a\nb"}; t.Markers.URL = "s3://b/<<.Index\n>>" }), runOf(ForPlan, func(*Told) {}), runOf(ForLocal, func(*Told) {}), runOf(ForManifest, func(*Told) {}),
		run(func(t *Told) {
			t.Mapping.Items = 4
			slurm(t, identity.Settings{Completions: number(2), IndexOffset: -1}, "2")
		}),
		run(func(t *Told) { // --input and --stdin need no markers
			t.Data.Input, t.Data.Stdin, t.Data.CheckpointEvery = []string{"s3://b/<<.Index>>=a\nb", "no pair"}, "s3://b/x", DefaultCheckpointEvery
		}),
		runOf(ForLocal, func(t *Told) {
			t.Data.Input, t.Completions = []string{"s3://b/<<.Index>>=in"}, number(1)
		}),
		runOf(ForLocal, func(t *Told) {
			t.Data.Input, t.Said["--parallelism"] = []string{"s3://b/<<.Index>>=in"}, "1"
		}),
		runOf(ForLocal, func(t *Told) {
			t.Tasks.URL, t.Data.Input = "file:///r.csv", []string{"s3://b/x=<<.Task.name>>", "s3://b/x=/w/<<.RunID>>/"}
		}),
		lookOf(ForStatus), lookOf(ForCheck), lookOf(ForWait), lookOf(ForReset, "--all", "true"), lookOf(ForMark, "--indexes", "3", "--reason", "x"),
	} {
		if err := Check(told); err != nil {
			t.Errorf("command %d: %v", told.For, err)
		}
	}
}

// TestFirstRule: of several rules that are broken the same one is told every time.
func TestFirstRule(t *testing.T) {
	wrong := run(func(t *Told) {
		t.Stores.MarkerTimeout, t.Mapping.RequireWait, t.Tasks.Drain, t.Process.Timeout = -1, -1, -1, -1
		t.Markers.RecordStart, t.SQL.KeepSQL, t.SQL.DoneSQL, t.API.KeepURL, t.API.FailURL = true, "x", "x", "x", "x"
	})
	later := wrong
	later.Config = &Config{Stores: Stores{StoreTimeout: 1}, Tasks: Tasks{Lease: time.Minute}, SQL: wrong.SQL, API: wrong.API}
	last := later
	last.Config = &Config{Stores: Stores{StoreTimeout: 1}, Tasks: Tasks{Lease: time.Minute}, SQL: wrong.SQL}
	for range 100 {
		for _, tt := range []struct {
			told Told
			want string
		}{
			{wrong, "--marker-timeout: it is negative"},
			{later, "--fail-url: there are no tasks without --tasks"},
			{last, "--keep-sql: without --take-sql the statements are nth's own"},
		} {
			if err := Check(tt.told); err == nil || short(err) != tt.want {
				t.Fatalf("%v, want %s", err, tt.want)
			}
		}
	}
}
