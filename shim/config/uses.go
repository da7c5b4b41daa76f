package config

import "strings"

// Use is what a command does with a flag of nth run.
type Use int

// A flag is never taken and then forgotten: what a command neither obeys nor has a reason
// to look at, it refuses.
const (
	Unknown Use = iota // it is no flag of nth run
	Obeys              // it does what the flag says, or tells it to the runs that it begins
	Keeps              // it does what the flag says, and tells the runs nothing of it
	Reads              // it refuses what a run would refuse, and has nothing else to do: it runs nothing
	Refuses            // it can't do what the flag says
)

// uses says of every flag of nth run what the other commands do that take it.
var uses = []struct {
	flags                 string
	plan, local, manifest Use
}{
	{"--index --index-failures --index-ignored-failures", Refuses, Refuses, Refuses},
	{"--index-env", Reads, Refuses, Refuses},
	{"--indexes", Obeys, Keeps, Obeys},
	{"--index-offset --platform", Obeys, Refuses, Obeys},
	{"--job-uid", Obeys, Obeys, Refuses},
	{"--pod --node", Reads, Obeys, Refuses},
	{"--completions --job", Obeys, Obeys, Obeys},
	{"--env --items --each --require --markers --tasks --tasks-exclude --group-by", Obeys, Obeys, Obeys},
	{"--input --output --stdin --stdout --checkpoint --keep-failed", Obeys, Obeys, Obeys},

	{"--jobs --share --keep-going --require-wait --checkpoint-every", Reads, Obeys, Obeys},
	{"--on-change --done-if --done-exit-codes --skip-exit-codes --digest-extra --record-start --claim --claim-wait --logs --success", Reads, Obeys, Obeys},
	{"--store-wait --store-timeout --marker-timeout", Reads, Obeys, Obeys},
	{"--lease --max-attempts --task-id --task-stdin --on-failure --max-tasks --max-runtime --drain --idle-timeout", Reads, Obeys, Obeys},
	{"--keep-url --done-url --fail-url --unfinished-url --http-header --http-body", Reads, Obeys, Obeys},
	{"--take-sql --keep-sql --done-sql --fail-sql --unfinished-sql", Reads, Obeys, Obeys},
	{"--signal-target --signal --stop-signals --stop-grace --sweep-grace --exit-zero-after-signal --timeout --retries --stderr-tail --reserve-exit-codes", Reads, Obeys, Obeys},
	{"--quit-url --termination-log --log-level --log-format", Reads, Obeys, Obeys},
}

// UseOf gives what a command does with a flag, such as --index.
func UseOf(flag string, by Commands) Use {
	for _, row := range uses {
		for _, name := range strings.Fields(row.flags) {
			if name != flag {
				continue
			}
			switch by {
			case ForPlan:
				return row.plan
			case ForLocal:
				return row.local
			case ForManifest:
				return row.manifest
			}
			return Obeys
		}
	}
	return Unknown
}

// refusals are about flags that a command can't obey, whatever they say.
var refusals = []rule{
	{of: ForPlan, flag: refused, why: "the plan is of every index, and of its first attempt",
		hint: "take it away, also from the environment; --indexes 3,7-9 plans some"},
	{of: ForLocal, flag: refused, why: "each index is told its own, counted from 0",
		hint: "take it away, also from the environment; --indexes 3,7-9 runs some, and <<add .Index 1>> counts from 1"},
	{of: ForManifest, flag: refused, why: "each pod of a Job is told its own", hint: "take it away, also from the environment"},
}

// refused gives the first flag that says something and that the command refuses.
func refused(t *Told) string {
	for _, row := range uses {
		for _, name := range strings.Fields(row.flags) {
			if t.says(name) && UseOf(name, t.For) == Refuses {
				return name
			}
		}
	}
	return ""
}
