package config

import (
	"strings"

	"nth/shim/failure"
)

// views are about the flags that commands have of their own.
var views = []rule{
	{of: ForStatus, wrong: func(t *Told) bool {
		return t.says("--watch") && t.says("--list", "--index", "--format", "--used", "--reason")
	}, on: "--watch", why: "it has a view of its own: leave out --list, --index, --format, --used and --reason"},
	{of: ForStatus, wrong: func(t *Told) bool { return t.says("--watch") && t.Said["--kubernetes"] == "-" },
		on: "--watch and --kubernetes -", why: "stdin can be read once; give a file that you keep up to date"},
	{of: ForStatus, wrong: func(t *Told) bool { return t.says("--index") && t.says("--list", "--reason", "--used", "--indexes") },
		on: "--index", why: "it shows one index: leave out --list, --reason, --used and --indexes"},
	{of: ForStatus, wrong: func(t *Told) bool { return t.says("--index") && t.Said["--format"] == "html" },
		on: "--index and --format=html", why: "the page is of the whole Job; it tells of each index"},
	{of: ForStatus, wrong: func(t *Told) bool { return t.says("--logs") && !t.says("--index") },
		on: "--logs", why: "it needs --index N"},
	{of: ForStatus, wrong: func(t *Told) bool { return t.says("--logs") && t.says("--format") },
		on: "--logs and --format", why: "outputs are printed as they are"},
	{of: ForStatus, wrong: func(t *Told) bool { return t.says("--list") && t.says("--format", "--used") },
		on: "--list", why: "it prints the list alone: leave out --format and --used"},
	{of: ForStatus, wrong: func(t *Told) bool {
		return t.says("--list") && t.says("--reason") && t.Said["--list"] != "failed"
	}, on: "--reason and --list", why: "only the failed have a reason: --list failed"},

	{of: ForMark, wrong: func(t *Told) bool { return strings.TrimSpace(t.Said["--reason"]) == "" },
		on: "--reason", why: "it is not given", hint: "say why they count as done, for those who look later", code: failure.Usage},
	{of: ForMark, wrong: func(t *Told) bool { return t.says("--missing", "--all") && t.Completions == nil },
		on: "--completions", why: "it is not given", hint: "--missing and --all need to know how many indexes there are", code: failure.Usage},
	{of: ForReset, wrong: func(t *Told) bool { return t.says("--stale") && t.says("--failed", "--missing", "--claims") },
		on: "--stale", why: "it goes by the runs and not by the state of their items: leave out --failed, --missing and --claims"},
	{of: ForReset, wrong: func(t *Told) bool { return t.says("--older-than") && !t.says("--stale") },
		on: "--older-than", why: "nothing is older or younger without --stale"},
	{of: ForReset, wrong: func(t *Told) bool { return t.says("--checkpoints") && !t.says("--stale") },
		on: "--checkpoints", why: "without --stale they stay", hint: "give --stale too"},
	{of: chosen, wrong: func(t *Told) bool { return t.count("--indexes", "--failed", "--missing", "--all", "--stale") == 0 },
		on: "--indexes, --failed, --missing and --all", why: "none of them is given",
		hint: "one of them says which indexes are meant: --indexes 3,7-9", code: failure.Usage},
	{of: chosen, wrong: func(t *Told) bool { return t.count("--indexes", "--failed", "--missing", "--all") > 1 },
		on: "--indexes, --failed, --missing and --all", why: "more than one of them is given", hint: "give just one", code: failure.Usage},

	{of: ForManifest, wrong: func(t *Told) bool { return t.says("--schedule") && t.Said["--kind"] != "cronjob" },
		on: "--schedule", why: "only a CronJob has one", hint: "give --kind cronjob"},
	{of: ForManifest, wrong: func(t *Told) bool { return t.says("--replicas") && t.Said["--kind"] != "jobset" },
		on: "--replicas", why: "only a JobSet has them", hint: "give --kind jobset"},
	{of: ForManifest, flag: func(t *Told) string {
		return t.first(t.Said["--kind"] != "jobset", "--append-to", "--replicated-job", "--depends-on")
	},
		why: "only a JobSet has more than one kind of Jobs", hint: "give --kind jobset"},
	{of: ForManifest, wrong: func(t *Told) bool { return t.says("--depends-on") && !t.says("--append-to") },
		on: "--depends-on", why: "there is no other Job in the JobSet", hint: "give the JobSet that has it, in JSON, with --append-to FILE|-"},
	{of: ForManifest, flag: func(t *Told) string {
		return t.first(t.says("--append-to"), "--name", "--namespace", "--ttl", "--queue-name", "--workload-priority-class")
	},
		why: "the JobSet of --append-to has its own", hint: "take it away; its first Job says it"},
	{of: ForManifest, wrong: func(t *Told) bool { return t.Said["--append-to"] == "-" && t.Said["--kubernetes"] == "-" },
		on: "--append-to - and --kubernetes -", why: "stdin can be read once", hint: "put one of them into a file"},
	{of: ForManifest, wrong: func(t *Told) bool { return t.says("--workload-priority-class") && !t.says("--queue-name") },
		on: "--workload-priority-class", why: "only what waits in a queue has one", hint: "give --queue-name, or --priority-class for the pods"},
	{of: ForManifest, wrong: func(t *Told) bool { return t.says("--sbatch") && t.Said["--kind"] != "slurm" },
		on: "--sbatch", why: "only a script of Slurm's has them", hint: "give --kind slurm"},
	{of: ForManifest, wrong: func(t *Told) bool { return t.count("--indexes", "--missing", "--failed") > 1 },
		on: "--indexes, --missing and --failed", why: "each says which indexes are repaired", hint: "give one of them"},
	{of: ForManifest, wrong: func(t *Told) bool { return t.says("--reason") && !t.says("--failed") },
		on: "--reason", why: "only what has failed has one", hint: "give --failed"},
	{of: ForManifest, wrong: func(t *Told) bool { return t.repairs() && t.says("--success-policy") },
		on: "--success-policy", why: "of a repair, whose pods count from 0, it would name other indexes", hint: "take it away"},
	{of: ForManifest, wrong: func(t *Told) bool { return t.repairs() && t.says("--kind") && t.Said["--kind"] != "slurm" },
		on: "--kind", why: "a repair is made once", hint: "take it away"},
	{of: ForManifest, wrong: func(t *Told) bool { return t.repairs() && t.Source() == Queue },
		on: "--tasks", why: "a queue's tasks have no indexes", hint: "start the workers again: what is done isn't done twice"},
}

// first gives the first of the flags that says something, where that is wrong; "": none does.
func (t *Told) first(wrong bool, flags ...string) string {
	for _, flag := range flags {
		if wrong && t.says(flag) {
			return flag
		}
	}
	return ""
}

// repairs tells whether a manifest is of some indexes of a Job.
func (t *Told) repairs() bool { return t.says("--indexes", "--missing", "--failed") }
