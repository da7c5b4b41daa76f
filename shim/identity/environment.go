package identity

import (
	"strconv"
	"strings"
)

// Environment is what the command sees: no flag of nth's own (own, nil: there is none), so that an
// nth inside it doesn't take over an outer index; its index as
// JOB_COMPLETION_INDEX everywhere; and where the number was changed, the
// platform's own variable with what it would hold for that item, for a script
// that reads it would else process another item than the one recorded. Each
// variable that is set here stands once.
func (id Identity) Environment(environ []string, own func(variable string) bool, runID string) []string {
	index := strconv.FormatInt(id.Index, 10)
	set := []string{
		"JOB_COMPLETION_INDEX=" + index,
		"NTH_ITEM_INDEX=" + index,
		"NTH_ITEM_RAW_INDEX=" + strconv.FormatInt(id.RawIndex, 10),
		"NTH_ITEM_ATTEMPT=" + strconv.Itoa(id.Attempt),
		"NTH_ITEM_JOB=" + id.Job,
		"NTH_ITEM_RUN_ID=" + runID,
		id.SlotVariable(),
	}
	if id.Completions != nil {
		set = append(set, "NTH_ITEM_COMPLETIONS="+strconv.FormatInt(*id.Completions, 10))
	}
	if own == nil {
		own = func(string) bool { return false }
	}
	ours, replaced := []string{}, map[string]bool{}
	for i, assignment := range append(set, id.rewrites...) {
		name, _, _ := strings.Cut(assignment, "=")
		if !replaced[name] && (i < len(set) || !own(name)) {
			ours = append(ours, assignment)
		}
		replaced[name] = true
	}
	replaced["NTH_ITEM_COMPLETIONS"] = true // an outer nth's, where it isn't known here
	replaced[ItemRetry] = true              // the same
	replaced[Slot] = true                   // of this run, not of an nth inside the command
	out := make([]string, 0, len(environ)+len(ours))
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if !replaced[name] && !own(name) {
			out = append(out, e)
		}
	}
	return append(out, ours...)
}

// rewrite finds the variables that hold another number than this item's: those
// that told the index, where --indexes or --index-offset changed it, and with
// --index or --index-env each platform's that is set. A variable that --index-env
// names holds the item itself, also where it is a platform's that counts from 1:
// whoever names it says so. With --platform the variables of other platforms stay:
// they count something else (which node of Slurm's array runs GNU parallel).
func (id *Identity) rewrite(s Settings, env lookup) {
	named := ""
	set := func(name string, base int64) {
		now := strconv.FormatUint(uint64(id.Index)+uint64(base), 10) // the greatest int64 has a successor
		if was, _ := env(name); was != now {
			id.rewrites = append(id.rewrites, name+"="+now)
		}
	}
	if s.Index == nil && s.IndexEnv != "" {
		named = s.IndexEnv
		set(named, 0)
	}
	for _, t := range id.tellers {
		if id.Index < -t.base { // what is added is more than the index
			id.rewrites, t.base = append(id.rewrites, t.row.Offset+"=0"), 0
		}
		if t.variable != named {
			set(t.variable, t.base)
		}
	}
}
