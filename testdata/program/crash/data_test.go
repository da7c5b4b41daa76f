//go:build linux

package crash

import (
	"context"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nth/shim/marker"
	"nth/testdata/matrix"
)

// work is the folder in which commands have their inputs and outputs.
const work = "w"

// outputs is a command that makes a file and a tree, each with the name of its run: it adds
// to what it finds.
const outputs = `mkdir -p w/tree/sub; for f in one tree/a tree/sub/b; do echo "$NTH_ITEM_RUN_ID" >> w/$f; done; `

var published = []string{"out/one", "tree/a", "tree/sub/b"}

// out gives the path of an output, or an input.
func out(i *matrix.Item, name string) string { return filepath.Join(i.Dir, work) + "/" + name }

func outputFlags(i *matrix.Item) []string {
	return []string{"--output", out(i, "one") + "=" + i.Data("out", "one"), "--output", out(i, "tree/") + "=" + i.Data("tree", "")}
}

// withOutputs adds flags to those that say what is published.
func withOutputs(flags ...string) func(i *matrix.Item) []string {
	return func(i *matrix.Item) []string { return append(outputFlags(i), flags...) }
}

var commits = []string{"forward", "stage", "commit"}

// dataScenarios are those of items that nth brings something, or takes something away.
var dataScenarios = []scenario{
	{name: "output", with: commits, data: &data{keys: published}, flags: outputFlags, script: outputs + matrix.Work, must: []string{"commit/5.json"}},
	{name: "output forward", with: commits, data: &data{keys: published}, flags: outputFlags, script: outputs + matrix.Work, must: []string{"commit/5.json"},
		never: true, steps: 4, prepare: uncopied},
	{name: "output claim", with: append([]string{"claim"}, commits...), on: []string{"s3"}, data: &data{keys: published}, flags: withOutputs("--claim", "1h"),
		script: outputs + matrix.Work, must: []string{"commit/5.json", "claim/5.json"}},
	{name: "output rerun", with: commits, on: []string{"s3", "gcs"}, data: &data{keys: published}, flags: withOutputs("--on-change", "rerun"),
		script: outputs + matrix.Work, must: []string{"commit/5.json"}, prepare: func(i *matrix.Item) {
			i.Flags = append(i.Flags, "--digest-extra", "before")
			i.Run(0)
			i.Remove("runs")
			if err := os.RemoveAll(out(i, "")); err != nil { // another pod
				i.T.Fatal(err)
			}
		}},
	{name: "streams", with: append([]string{"fetch"}, commits...), on: []string{"s3", "azure"}, data: &data{keys: []string{"out/stdout"}, read: " {}"},
		flags: func(i *matrix.Item) []string {
			return []string{"--stdin", i.Input("5"), "--stdout", i.Data("out", "stdout")}
		},
		script: `echo "$NTH_ITEM_RUN_ID $(cat)"; ` + matrix.Work, must: []string{"commit/5.json"}},
	{name: "input", with: []string{"fetch"}, on: []string{"file", "gcs"}, data: &data{}, flags: func(i *matrix.Item) []string {
		return []string{"--input", i.Input("5") + "=" + out(i, "in"), "--input", i.Input("") + "=" + out(i, "all/")}
	}, script: `[ "$(cat w/in) $(cat w/all/5) $(ls w/all)" = "{} {} 5" ] || exit 1; ` + matrix.Work},
	{name: "checkpoint", with: append([]string{"fetch"}, commits...), on: []string{"s3", "azure"}, data: &data{keys: []string{"out/one"}},
		flags: func(i *matrix.Item) []string {
			return []string{"--checkpoint", out(i, "state") + "=" + i.Data("state", "of"), "--output", out(i, "one") + "=" + i.Data("out", "one")}
		},
		prepare: func(i *matrix.Item) { put(i, "state", "of", "before") },
		script:  `[ "$(cat w/state)" = before ] || exit 1; echo more >> w/state; echo "$NTH_ITEM_RUN_ID" >> w/one; ` + matrix.Work, must: []string{"commit/5.json"}},
	{name: "keep-failed", with: append([]string{"keep-failed"}, commits...), on: []string{"s3"}, data: &data{keys: published},
		flags:  func(i *matrix.Item) []string { return append(outputFlags(i), "--keep-failed", i.Data("kept", "")) },
		script: outputs + matrix.Failing, code: 3, steps: 9, must: []string{"commit/5.json", "failed/5.json"}},
}

func put(i *matrix.Item, folder, key, text string) {
	i.T.Helper()
	s := i.Place.Open(i.T, i.Prefix+"-"+folder)
	defer s.Close()
	if err := s.Put(context.Background(), key, []byte(text)); err != nil {
		i.T.Fatal(err)
	}
}

func remove(i *matrix.Item, folder, key string) {
	i.T.Helper()
	s := i.Place.Open(i.T, folder)
	defer s.Close()
	if err := s.Delete(context.Background(), key); err != nil {
		i.T.Fatal(err)
	}
}

// uncopied makes a run one that was killed when it had committed: everything is staged, and
// nothing is where it is to be.
func uncopied(i *matrix.Item) {
	i.Run(0)
	run := i.Marker().RunID
	remove(i, i.Prefix, "done/5.json")
	for n, at := range []string{"out", "tree"} {
		for key, text := range i.Objects(at) {
			remove(i, i.Prefix+"-"+at, key)
			put(i, at, fmt.Sprintf(".nth/%s/%d/%s", run, n, key), text)
		}
	}
	s := i.Place.Open(i.T, i.Prefix)
	defer s.Close()
	if err := s.Put(context.Background(), "staging/5/"+run+".json", []byte(`{"version":1,"index":5,"run_id":"`+run+`"}`)); err != nil {
		i.T.Fatal(err)
	}
	i.Remove("runs")
	i.Killed = append(i.Killed, run)
}

// data is what is there of an item besides its documents. Nil: nothing.
type data struct {
	keys []string // what it publishes: folders and keys in them
	read string   // what the command has read, and stands behind the name of its run
}

// text is what a run publishes.
func (d *data) text(run string) string { return run + d.read + "\n" }

// killed is what must hold between a kill and the next start. It tells whether the item's
// outputs are committed: then nothing is to be run any more.
func (d *data) killed(i *matrix.Item, docs map[string]marker.Failure, m *marker.Marker, done bool) (committed bool) {
	i.T.Helper()
	if d == nil {
		return false
	}
	before := i.Before
	commit := docs["commit/5.json"]
	committed = commit.RunID != "" && commit.Digest != before.Digest
	allowed := []string{before.RunID}
	if committed {
		allowed = append(allowed, commit.RunID)
	}
	there := d.targets(i, docs)
	for key, text := range there {
		if !slices.ContainsFunc(allowed, func(run string) bool { return run != "" && text == d.text(run) }) {
			i.T.Errorf("%s is %q, and committed is %q", key, text, allowed)
		}
	}
	if done {
		d.whole(i, there, m)
		if len(d.keys) > 0 && !committed {
			i.T.Error("there is a marker without its commit")
		}
	}
	return committed
}

// targets gives what is published; what isn't must be staged, by a run that has said so.
func (d *data) targets(i *matrix.Item, docs map[string]marker.Failure) map[string]string {
	i.T.Helper()
	there := map[string]string{}
	for _, folder := range []string{"out", "tree"} {
		for key, text := range i.Objects(folder) {
			if !strings.HasPrefix(key, ".nth/") {
				there[folder+"/"+key] = text
				continue
			}
			run := strings.Split(key, "/")[1]
			if docs["staging/5/"+run+".json"].RunID != run {
				i.T.Errorf("%s/%s is there without a note", folder, key)
			}
			if text != d.text(run) {
				i.T.Errorf("%s/%s is %q", folder, key, text)
			}
		}
	}
	for key, text := range i.Objects("kept") {
		if run, _, _ := strings.Cut(key, "/"); text != d.text(run) {
			i.T.Errorf("kept is %s: %q", key, text)
		}
	}
	return there
}

// whole: what is published is what the marker says, all of it, and of its run.
func (d *data) whole(i *matrix.Item, there map[string]string, m *marker.Marker) {
	i.T.Helper()
	if keys := slices.Sorted(maps.Keys(there)); !slices.Equal(keys, d.keys) || len(m.Outputs) != len(d.keys) {
		i.T.Errorf("published is %q, want %q; the marker says %+v", keys, d.keys, m.Outputs)
		return
	}
	want := d.text(m.RunID)
	sum := fmt.Sprintf("crc32c:%08x", crc32.Checksum([]byte(want), crc32.MakeTable(crc32.Castagnoli)))
	for n, key := range d.keys {
		if there[key] != want {
			i.T.Errorf("%s is %q, and the marker is of %s", key, there[key], m.RunID)
		}
		folder, name, _ := strings.Cut(key, "/")
		url, _, _ := strings.Cut(i.Data(folder, name), "?")
		if o := m.Outputs[n]; o.URL != url || o.Size != int64(len(want)) || o.Checksum != sum {
			i.T.Errorf("the marker says %+v of %s, which has %d bytes, %s", o, url, len(want), sum)
		}
	}
}

// final is what must hold in the end. The notes of runs that were killed are taken out of the
// documents.
func (d *data) final(i *matrix.Item, docs map[string]marker.Failure, m *marker.Marker) {
	i.T.Helper()
	if d == nil {
		return
	}
	d.whole(i, d.targets(i, docs), m)
	if commit := docs["commit/5.json"].RunID; len(d.keys) > 0 && commit != m.RunID {
		i.T.Errorf("the commit is of %q, and the marker of %q", commit, m.RunID)
	}
	if left := i.Objects("state"); len(left) > 0 {
		i.T.Errorf("there still is a checkpoint: %q", left)
	}
	for key, doc := range docs {
		if !strings.HasPrefix(key, "staging/") {
			continue
		}
		if !slices.Contains(i.Killed, doc.RunID) {
			i.T.Errorf("%s is there, of a run that wasn't killed", key)
		}
		delete(docs, key)
	}
}
