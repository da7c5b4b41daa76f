package config

import (
	"fmt"
	"slices"
	"strings"

	"nth/shim/failure"
)

// pairs are about flags of which one says nothing beside, or without, another: exit code 78.
var pairs = []rule{
	{of: runs, detail: bothCodes, on: "--done-exit-codes and --skip-exit-codes", hint: "a code is success or bad, not both"},
	{of: runs, wrong: func(t *Told) bool { return t.Markers.URL == "" && t.Markers.RecordStart },
		on: "--record-start", why: "there is no --markers URL to record it under", hint: "give --markers"},
	{of: runs, wrong: func(t *Told) bool { return t.Markers.URL == "" && t.Markers.Claim > 0 },
		on: "--claim", why: "a claim stands beside the markers, and there is no --markers URL", hint: "give --markers"},
	{of: runs, wrong: func(t *Told) bool { return t.Markers.URL == "" && t.Markers.Success != "" },
		on: "--success", why: "whether all is done the markers tell, and there is no --markers URL", hint: "give --markers"},
	{of: runs, wrong: func(t *Told) bool { return t.Markers.Success != "" && t.Source() == Queue },
		on: "--success and --tasks", why: "when a queue's tasks are all done only its workers know", hint: "leave --success out"},
	{of: runs, detail: ownEnd, on: "--success and --markers", hint: "name the same for all indexes"},
	{of: runs &^ ForPlan, wrong: func(t *Told) bool { return t.Markers.Success != "" && t.Completions == nil },
		on: "--success", why: "how many indexes must be done isn't known", hint: "set --completions or NTH_COMPLETIONS"},
	{of: ForRun, detail: pickedEnd, on: "--success",
		hint: "give --completions N where the indexes are 0 to N-1; --index-offset -1 makes them so in an array from 1 to N"},
	{of: runs, wrong: func(t *Told) bool { return t.Markers.Claim == 0 && t.Markers.ClaimWait > 0 },
		on: "--claim-wait", why: "nobody is waited for without --claim", hint: "give --claim"},
	{of: runs, wrong: func(t *Told) bool { return t.Markers.Claim > 0 && t.Source() == Queue },
		on: "--claim and --tasks", why: "a claim is of an index, and a queue's tasks have leases of their own", hint: "leave --claim out"},
	{of: runs, flag: onChange, why: "there are no markers without --markers", hint: "give --markers"},
	{of: runs, wrong: func(t *Told) bool { return t.Markers.URL == "" && len(t.Markers.SkipExitCodes) > 0 },
		on: "--skip-exit-codes", why: "a settled item needs a marker, and there is no --markers URL", hint: "give --markers"},
	{of: ForPlan, wrong: func(t *Told) bool { return t.Index.Indexes != "" && t.Index.IndexOffset != 0 }, // the others ask identity
		on: "--index-offset and --indexes", why: "the list already says which item it is", hint: "give one of them"},

	// A plan that isn't told how many there are was called wrongly; a run, set up so.
	{of: ForPlan, wrong: func(t *Told) bool { return t.Tasks.URL != "" && t.Source() != Rows && tasks(t) == 0 },
		on: "--tasks", why: "which tasks there will be is the queue's to say", hint: "plan shows what each index runs, without a queue", code: failure.Usage},
	{of: ForPlan, wrong: func(t *Told) bool { return (t.Mapping.Each || t.Mapping.Items > 0) && t.Completions == nil },
		on: "--items and --each", why: "how many indexes share the items isn't given", hint: "give --completions", code: failure.Usage},
	{of: ForRun, detail: picked, on: "--items and --each",
		hint: "give --completions N where the indexes are 0 to N-1; --index-offset -1 makes them so in an array from 1 to N"},
	{of: runs &^ ForPlan, wrong: func(t *Told) bool { return t.Mapping.Items > 0 && t.Completions == nil },
		on: "--items", why: "how many indexes share them isn't known", hint: "set --completions or NTH_COMPLETIONS"},

	{of: runs, wrong: func(t *Told) bool { return !t.Mapping.Each && t.Source() != Queue && t.Mapping.Jobs != nil },
		on: "--jobs", why: "it is about items or a queue's tasks, and there are none without --each or a queue in --tasks",
		hint: "give --each; how many indexes run at the same time is --parallelism, of nth local and nth manifest"},
	{of: runs, wrong: func(t *Told) bool { return !t.Mapping.Each && t.Mapping.KeepGoing },
		on: "--keep-going", why: "it is about items, and there are none without --each", hint: "give --each"},
	{of: runs, wrong: func(t *Told) bool { return t.Mapping.Share && !t.Mapping.Each },
		on: "--share", why: "it is about items, and there are none without --each", hint: "give --each"},
	{of: runs, wrong: func(t *Told) bool { return t.Mapping.Share && t.Markers.URL == "" },
		on: "--share", why: "who has which items stands beside the markers, and there is no --markers URL", hint: "give --markers"},
	{of: runs, detail: ownShare, on: "--share and --markers", hint: "name the same for all indexes"},
	{of: runs, wrong: func(t *Told) bool { return t.Mapping.Share && t.Markers.Claim > 0 },
		on: "--share and --claim", why: "what is shared is claimed piece by piece already, for the time of --lease", hint: "leave --claim out"},
	{of: runs, wrong: func(t *Told) bool { return t.Mapping.Each && t.Tasks.URL != "" && t.Source() != Rows },
		on: "--each and --tasks", why: "a queue gives its tasks one by one", hint: "leave --each out, or name a file of rows"},
	{of: runs, wrong: func(t *Told) bool { return t.Mapping.Each && t.Tasks.URL == "" && t.Mapping.Items == 0 },
		on: "--each", why: "there are no items", hint: "give --items N, or a file of rows or objects in --tasks"},
	{of: runs, wrong: func(t *Told) bool { return t.Mapping.Each && t.Tasks.URL != "" && t.Mapping.Items > 0 },
		on: "--items and --tasks", why: "the items are those of --tasks", hint: "leave --items out"},
	{of: runs &^ ForPlan, wrong: func(t *Told) bool { return t.Mapping.Each && t.Completions == nil },
		on: "--each", why: "how many indexes share the items isn't known", hint: "set --completions or NTH_COMPLETIONS"},
	{of: runs, wrong: func(t *Told) bool { return t.Mapping.Each && t.Tasks.TaskStdin },
		on: "--each and --task-stdin", why: "an item's stdin is empty", hint: "its row is in NTH_ITEM_TASK"},
	{of: runs, wrong: func(t *Told) bool { return t.Mapping.Each && t.Tasks.Drain > 0 },
		on: "--each and --drain", why: "that is for queues", hint: "--stop-grace says how long running items may take"},

	{of: runs, flag: ofShards, why: "it is not for --each: an index's items have one marker, and no commit each", hint: "leave --each out, and make each item an index: --completions N, or a row or object of --tasks"},
	{of: runs, flag: unmarked, why: "whose bytes count is kept with the markers, and there is no --markers URL", hint: "give --markers"},
	{of: runs, flag: doneByOutput, why: "--done-if names it too: what is half published would look done", hint: "leave --done-if out: the marker tells, and what was published before there were markers is recorded by nth mark"},
	{of: runs, wrong: func(t *Told) bool { return t.Data.Stdin != "" && t.Tasks.TaskStdin },
		on: "--stdin and --task-stdin", why: "the command has one stdin", hint: "the payload is in NTH_ITEM_TASK too"},
	{of: runs, wrong: func(t *Told) bool {
		urls, _ := t.Data.Kept()
		return len(urls) > 0 && len(t.Data.Output) == 0 && t.Data.Stdout == "" && !t.Mapping.Each
	},
		on: "--keep-failed", why: "there are no outputs that could be kept", hint: "give --output or --stdout, or PATH=URL for other files"},
	{of: runs, wrong: func(t *Told) bool { urls, _ := t.Data.Kept(); return len(urls) > 1 },
		on: "--keep-failed", why: "it says more than once where the outputs are kept", hint: "give one URL; PATH=URL keeps other files", code: failure.Usage},
	{of: runs, wrong: func(t *Told) bool {
		return len(t.Data.Checkpoint) == 0 && t.Data.CheckpointEvery > 0 && t.Data.CheckpointEvery != DefaultCheckpointEvery
	},
		on: "--checkpoint-every", why: "there is nothing to upload", hint: "give --checkpoint"},
	{of: ForLocal, flag: sharedPath, why: "its path is the same for each index, and those that run at the same time here would have each other's files",
		hint: "write <<.Index>> into the path, or give --parallelism 1"},
	{of: runs, flag: tasksPath, why: "its path is the same for each task, and those that run at the same time would have each other's files",
		hint: "write <<.Slot>> or <<.TaskID>> into the path, or give --jobs 1"},
	{of: ForLocal, wrong: func(t *Told) bool { return t.says("--chaos-compare") && !t.says("--chaos") },
		on: "--chaos-compare", why: "nothing is compared without --chaos", hint: "give --chaos"},
	{of: ForLocal, wrong: func(t *Told) bool {
		return t.says("--chaos") && !t.says("--chaos-compare") && len(t.Data.Output) == 0 && t.Data.Stdout == ""
	},
		on: "--chaos", why: "what the command writes isn't said, so nothing could be compared", hint: "give --chaos-compare DIR, or --output; a seed is written --chaos=7"},
	{of: ForLocal, wrong: func(t *Told) bool { return t.says("--chaos") && t.Source() == Queue },
		on: "--chaos and --tasks", why: "the first run would take the queue's tasks away, and the next one find none", hint: "give the tasks as a file of rows"},
	{of: ForLocal, wrong: func(t *Told) bool { return t.says("--chaos") && t.Markers.Logs != "" },
		on: "--chaos and --logs", why: "what disturbed runs write would stand among the Job's logs", hint: "leave --logs out: all of it is shown on stderr"},

	{of: runs, detail: ownList, on: "--tasks and --markers", hint: "name the Job's markers: the list of objects is kept there, for all indexes"},
	{of: runs, detail: ownTasks, on: "--tasks", hint: "name the same for all of them"},
	{of: runs &^ ForPlan, wrong: func(t *Told) bool { return t.Lists() && t.Markers.URL == "" },
		on: "--tasks", why: "which object an index has is pinned with the markers, and there is no --markers URL: an object that comes meanwhile would move the numbers",
		hint: "give --markers"},
	{of: runs, flag: withoutObjects, why: "it is about many objects, and --tasks doesn't end in a slash or have a glob", hint: "leave it out"},
	{of: runs, flag: withoutTasks, why: "there are no tasks without --tasks", hint: "give --tasks"},
	{of: runs, flag: withoutQueue, why: "it is about a queue, and --tasks names one item for each index", hint: "leave it out; an HTTP API that is a queue has --keep-url and --done-url"},
	{of: runs, flag: withoutAPI, why: "it is of an HTTP API, and --tasks names a file of rows", hint: "leave it out"},
	{of: runs, flag: withoutTakeSQL, why: "without --take-sql the statements are nth's own", hint: "give --take-sql"},
}

// picked tells why an index whose number the user picked has no part of the items.
func picked(t *Told) string {
	id := t.Identity
	if !t.Mapping.Each && t.Mapping.Items == 0 || id == nil || id.Picked() == "" || id.Among() {
		return ""
	}
	if t.Completions == nil {
		return "the user picks the numbers of a " + id.Picked() + ", so its size doesn't say which part is this index's"
	}
	return fmt.Sprintf("index %d is none of 0 to %d, which share the items", id.Index, *t.Completions-1)
}

// perRun gives the first action of a template that differs between the runs of a Job.
func perRun(text string) string {
	for rest := text; rest != ""; {
		_, action, _ := strings.Cut(rest, "<<")
		action, rest, _ = strings.Cut(action, ">>")
		for _, field := range []string{".Index", ".RawIndex", ".Shard", ".RunID", ".Attempt", ".Hostname", ".Slot"} {
			if strings.Contains(action, field) {
				return "<<" + action + ">>"
			}
		}
	}
	return ""
}

// ownList tells why each run would list its objects anew.
func ownList(t *Told) string {
	if at := perRun(t.Markers.URL); t.Lists() && at != "" {
		return "each run would have a list of its own, for --markers names " + at
	}
	return ""
}

// ownShare tells why nobody could help another.
func ownShare(t *Told) string {
	if at := perRun(t.Markers.URL); t.Mapping.Share && at != "" {
		return "the indexes share their items through one directory, and --markers names " + at
	}
	return ""
}

// ownEnd tells why no document could be the whole Job's.
func ownEnd(t *Told) string {
	if t.Markers.Success == "" {
		return ""
	}
	for _, text := range []string{t.Markers.Success, t.Markers.URL} {
		if at := perRun(text); at != "" {
			return "the document is of the whole Job, and " + at + " is one run's"
		}
	}
	return ""
}

// pickedEnd tells why an index whose number the user picked is none of those that must be
// done.
func pickedEnd(t *Told) string {
	if id := t.Identity; t.Markers.Success != "" && t.Completions != nil && id != nil && id.Picked() != "" && !id.Among() {
		return fmt.Sprintf("index %d is none of 0 to %d, which must be done", id.Index, *t.Completions-1)
	}
	return ""
}

// ownTasks tells why items would be nobody's: each index would share out, or count, others.
func ownTasks(t *Told) string {
	switch at := perRun(t.Tasks.URL); {
	case at == "" || t.Source() != Rows:
	case t.Lists():
		return "an index is one of many objects, and --tasks names " + at
	case t.Mapping.Each:
		return "the indexes share the items of one file, and --tasks names " + at
	}
	return ""
}

// bothCodes names a code that is success and bad at once.
func bothCodes(t *Told) string {
	for _, code := range t.Markers.SkipExitCodes {
		if slices.Contains(t.Markers.DoneExitCodes, code) {
			return fmt.Sprintf("both name %d", code)
		}
	}
	return ""
}

// onChange gives --on-change, with what it says, where there are no markers.
func onChange(t *Told) string {
	if how := t.Markers.OnChange; t.Markers.URL == "" && how != "" && how != "fail" {
		return "--on-change=" + how
	}
	return ""
}

// given is a flag, and whether it says something.
type given struct {
	flag string
	yes  bool
}

func first(list []given) string {
	for _, g := range list {
		if g.yes {
			return g.flag
		}
	}
	return ""
}

// withoutTasks gives the first flag that is about tasks where there are none.
func withoutTasks(t *Told) string {
	if t.Tasks.URL != "" {
		return ""
	}
	return first(append(aboutQueues(t),
		given{"--keep-url", t.API.KeepURL != ""}, given{"--done-url", t.API.DoneURL != ""},
		given{"--http-header", len(t.API.HTTPHeader) > 0},
		given{"--task-stdin", t.Tasks.TaskStdin}, given{"--drain", t.Tasks.Drain > 0}))
}

// withoutObjects gives the first flag that is about a list of objects where there is none.
func withoutObjects(t *Told) string {
	if t.Lists() {
		return ""
	}
	return first([]given{{"--tasks-exclude", len(t.Tasks.Exclude) > 0}, {"--group-by", t.Tasks.GroupBy != ""}})
}

// withoutQueue gives the first flag that is about a queue where --tasks is none.
func withoutQueue(t *Told) string {
	if s := t.Source(); s != Item && s != Rows {
		return ""
	}
	return first(aboutQueues(t))
}

func aboutQueues(t *Told) []given {
	return []given{
		{"--task-id", t.Tasks.TaskID != ""}, {"--max-attempts", t.Tasks.MaxAttempts != nil},
		{"--max-tasks", t.Tasks.MaxTasks > 0}, {"--max-runtime", t.Tasks.mostRuntime() > 0}, {"--idle-timeout", t.Tasks.IdleTimeout > 0},
		{"--on-failure", t.Tasks.OnFailure == "stop"},
		{"--fail-url", t.API.FailURL != ""}, {"--unfinished-url", t.API.UnfinishedURL != ""}, {"--http-body", len(t.API.HTTPBody) > 0},
		{"--take-sql", t.SQL.TakeSQL != ""},
	}
}

// withoutAPI gives the first flag of an HTTP API where --tasks is a file.
func withoutAPI(t *Told) string {
	if t.Source() != Rows {
		return ""
	}
	return first([]given{{"--keep-url", t.API.KeepURL != ""}, {"--done-url", t.API.DoneURL != ""}, {"--http-header", len(t.API.HTTPHeader) > 0}})
}

// withoutTakeSQL gives the first statement beside which there is none that takes a task.
func withoutTakeSQL(t *Told) string {
	if t.SQL.TakeSQL != "" {
		return ""
	}
	return first([]given{{"--keep-sql", t.SQL.KeepSQL != ""}, {"--done-sql", t.SQL.DoneSQL != ""},
		{"--fail-sql", t.SQL.FailSQL != ""}, {"--unfinished-sql", t.SQL.UnfinishedSQL != ""}})
}
