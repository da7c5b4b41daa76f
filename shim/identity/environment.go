package identity

import (
	"slices"
	"strconv"
	"strings"
)

// Environment is what the command sees: no flag of nth's own (own), so that an
// nth inside it doesn't take over an outer index; its index as
// JOB_COMPLETION_INDEX everywhere; and where the number was changed, the
// platform's own variable with what it would hold for that item, for a script
// that reads it would else process another item than the one recorded.
func (id Identity) Environment(environ []string, own map[string]bool, runID string) []string {
	set := []string{"JOB_COMPLETION_INDEX=" + strconv.FormatInt(id.Index, 10)}
	set = append(set, id.rewrites...)
	set = append(set,
		"NTH_ITEM_INDEX="+strconv.FormatInt(id.Index, 10),
		"NTH_ITEM_RAW_INDEX="+strconv.FormatInt(id.RawIndex, 10),
		"NTH_ITEM_ATTEMPT="+strconv.Itoa(id.Attempt),
		"NTH_ITEM_JOB="+id.Job,
		"NTH_ITEM_RUN_ID="+runID)
	if id.Completions != nil {
		set = append(set, "NTH_ITEM_COMPLETIONS="+strconv.FormatInt(*id.Completions, 10))
	}
	replaced := map[string]bool{"NTH_ITEM_COMPLETIONS": true}
	set = slices.DeleteFunc(set, func(s string) bool { // JOB_COMPLETION_INDEX may be among the rewrites too
		name, _, _ := strings.Cut(s, "=")
		twice := replaced[name] && name == "JOB_COMPLETION_INDEX"
		replaced[name] = true
		return twice
	})
	out := make([]string, 0, len(environ)+len(set))
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if !own[name] && !replaced[name] {
			out = append(out, e)
		}
	}
	return append(out, set...)
}
