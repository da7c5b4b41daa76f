//go:build linux

package crash

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"nth/shim/marker"
	"nth/testdata/matrix"
)

// crashSteps are the named steps of a run (shim.go), and how often an item has its
// effect in the end that was killed at the beginning of one, and at most when it
// was killed within it. Twice is only where the command may have ended and neither its
// marker nor its commit is there yet: nobody can know then.
var crashSteps = []struct {
	name              string
	beginning, within int
	only              bool // for a scenario that says so
}{
	{name: "identify", beginning: 1, within: 1},
	{name: "expand", beginning: 1, within: 1},
	{name: "look", beginning: 1, within: 1},
	{name: "forward", beginning: 1, within: 1, only: true},
	{name: "done-if", beginning: 1, within: 1},
	{name: "require", beginning: 1, within: 1},
	{name: "claim", beginning: 1, within: 1, only: true},
	{name: "fetch", beginning: 1, within: 1, only: true},
	{name: "command", beginning: 1, within: 2},
	{name: "judge", beginning: 2, within: 2},
	{name: "keep-failed", beginning: 1, within: 1, only: true},
	{name: "stage", beginning: 2, within: 2, only: true},
	{name: "commit", beginning: 2, within: 2, only: true}, // instead of record
	{name: "record", beginning: 2, within: 2},
}

// within gives how often the effect may be there for the last step that was begun.
func within(step string) int {
	for _, s := range crashSteps {
		if s.name == step {
			return s.within
		}
	}
	return 1
}

// scenario is what is run, and what must be there in the end.
type scenario struct {
	name    string
	with    []string     // steps that not every run has
	on      []string     // the stores; none: all of them
	data    *matrix.Data // what it publishes, and more; nil: nothing
	flags   func(i *matrix.Item) []string
	prepare func(i *matrix.Item) // what is there before
	script  string
	code    int // of a start that nobody harms
	steps   int // how many of them are begun
	source  string
	outcome string
	never   bool     // the command runs
	must    []string // documents, beside the marker
}

// list is the steps of a whole run.
func (s scenario) list() (list []string) {
	for _, step := range crashSteps {
		if has := slices.Contains(s.with, step.name); has || !step.only && (step.name != "record" || !slices.Contains(s.with, "commit")) {
			list = append(list, step.name)
		}
	}
	return list
}

// beginning gives how often the effect is there of what was killed when a step began.
func beginning(step string) int {
	for _, s := range crashSteps {
		if s.name == step {
			return s.beginning
		}
	}
	return 1
}

var scenarios = []scenario{
	{name: "plain"},
	{name: "done-if of nothing", flags: func(i *matrix.Item) []string { return []string{"--done-if", i.Input("nothing")} }},
	{name: "done-if", flags: func(i *matrix.Item) []string { return []string{"--done-if", i.Input("5")} },
		steps: 4, source: marker.SourceDoneIf, never: true},
	{name: "require", flags: func(i *matrix.Item) []string { return []string{"--require", i.Input("5"), "--require", "/bin/sh"} }},
	{name: "record-start", flags: func(*matrix.Item) []string { return []string{"--record-start"} }, must: []string{"started/5.json"}},
	{name: "claim", with: []string{"claim"}, flags: func(*matrix.Item) []string { return []string{"--claim", "1h"} }, must: []string{"claim/5.json"}},
	{name: "failing", script: matrix.Failing, code: 3, steps: 7,
		prepare: func(i *matrix.Item) { i.Run(3) }, must: []string{"failed/5.json"}},
	{name: "skip", flags: func(*matrix.Item) []string { return []string{"--skip-exit-codes", "9"} }, script: matrix.Work + "; exit 9",
		outcome: marker.Skipped, must: []string{"skipped/5.json"}},
	{name: "rerun", flags: func(*matrix.Item) []string { return []string{"--on-change", "rerun"} }, prepare: func(i *matrix.Item) {
		i.Flags = append(i.Flags, "--digest-extra", "before")
		i.Run(0)
		i.Remove("runs")
	}},
}

func (s scenario) item(t *testing.T, place *matrix.Place, n int) *matrix.Item {
	i := matrix.NewItem(t, place, fmt.Sprintf("%s-%d", strings.ReplaceAll(s.name, " ", "-"), n))
	if s.script != "" {
		i.Script = s.script
	}
	if s.flags != nil {
		i.Flags = s.flags(i)
	}
	if s.prepare != nil {
		flags := i.Flags
		s.prepare(i)
		i.Flags = flags
		if m := i.Marker(); m != nil {
			i.Before = m.Header
		}
	}
	i.Flags = append(i.Flags, "--marker-timeout", "10s")
	return i
}

// effects is how often the command must have its effect.
func (s scenario) effects() int {
	if s.never {
		return 0
	}
	return 1
}

func (s scenario) withDefaults() scenario {
	if s.steps == 0 {
		s.steps = len(s.list())
	}
	if s.source == "" {
		s.source = marker.SourceRun
	}
	if s.outcome == "" {
		s.outcome = marker.Done
	}
	return s
}
