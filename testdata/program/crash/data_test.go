//go:build linux

package crash

import (
	"fmt"

	"nth/testdata/matrix"
)

// work is the folder in which commands have their inputs and outputs.
const work = "w"

// out gives the path of an output, or an input.
func out(name string) string { return work + "/" + name }

// withOutputs adds flags to those that say what is published.
func withOutputs(flags ...string) func(i *matrix.Item) []string {
	return func(i *matrix.Item) []string { return append(i.Outputs(), flags...) }
}

var commits = []string{"forward", "stage", "commit"}

// dataScenarios are those of items that nth brings something, or takes something away.
var dataScenarios = []scenario{
	{name: "output", with: commits, data: matrix.Tree, flags: (*matrix.Item).Outputs, script: matrix.Write + matrix.Work, must: []string{"commit/5.json"}},
	{name: "output forward", with: commits, data: matrix.Tree, flags: (*matrix.Item).Outputs, script: matrix.Write + matrix.Work, must: []string{"commit/5.json"},
		never: true, steps: 4, prepare: uncopied},
	{name: "output claim", with: append([]string{"claim"}, commits...), on: []string{"s3"}, data: matrix.Tree, flags: withOutputs("--claim", "1h"),
		script: matrix.Write + matrix.Work, must: []string{"commit/5.json", "claim/5.json"}},
	{name: "output rerun", with: commits, on: []string{"s3", "gcs"}, data: matrix.Tree, flags: withOutputs("--on-change", "rerun"),
		script: matrix.Write + matrix.Work, must: []string{"commit/5.json"}, prepare: func(i *matrix.Item) {
			i.Flags = append(i.Flags, "--digest-extra", "before")
			i.Run(0)
			i.Remove("runs")
		}},
	{name: "streams", with: append([]string{"fetch"}, commits...), on: []string{"s3", "azure"}, data: &matrix.Data{Keys: []string{"out/stdout"}, Read: " {}"},
		flags: func(i *matrix.Item) []string {
			return []string{"--stdin", i.Input("5"), "--stdout", i.Data("out", "stdout")}
		},
		script: `echo "$NTH_ITEM_RUN_ID $(cat)"; ` + matrix.Work, must: []string{"commit/5.json"}},
	{name: "input", with: []string{"fetch"}, on: []string{"file", "gcs"}, data: &matrix.Data{}, flags: func(i *matrix.Item) []string {
		return []string{"--input", i.Input("5") + "=" + out("in"), "--input", i.Input("") + "=" + out("all/")}
	}, script: `[ "$(cat w/in) $(cat w/all/5) $(ls w/all)" = "{} {} 5" ] || exit 1; ` + matrix.Work},
	{name: "checkpoint", with: append([]string{"fetch"}, commits...), on: []string{"s3", "azure"}, data: &matrix.Data{Keys: []string{"out/one"}},
		flags: func(i *matrix.Item) []string {
			return []string{"--checkpoint", out("state") + "=" + i.Data("state", "of"), "--output", out("one") + "=" + i.Data("out", "one")}
		},
		prepare: func(i *matrix.Item) { i.Put("state", "of", "before") },
		script:  `[ "$(cat w/state)" = before ] || exit 1; echo more >> w/state; echo "$NTH_ITEM_RUN_ID" >> w/one; ` + matrix.Work, must: []string{"commit/5.json"}},
	{name: "keep-failed", with: append([]string{"keep-failed"}, commits...), on: []string{"s3"}, data: matrix.Tree,
		flags:  func(i *matrix.Item) []string { return append(i.Outputs(), "--keep-failed", i.Data("kept", "")) },
		script: matrix.Write + matrix.Failing, code: 3, steps: 9, must: []string{"commit/5.json", "failed/5.json"}},
}

// uncopied makes a run one that was killed when it had committed: everything is staged, and
// nothing is where it is to be.
func uncopied(i *matrix.Item) {
	i.Run(0)
	run := i.Marker().RunID
	i.Delete("", "done/5.json")
	for n, at := range []string{"out", "tree"} {
		for key, text := range i.Objects(at) {
			i.Delete(at, key)
			i.Put(at, fmt.Sprintf(".nth/%s/%d/%s", run, n, key), text)
		}
	}
	i.Put("", "staging/5/"+run+".json", `{"version":1,"index":5,"run_id":"`+run+`"}`)
	i.Remove("runs")
	i.Killed = append(i.Killed, run)
}
