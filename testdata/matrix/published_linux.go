package matrix

import (
	"context"
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"slices"
	"strings"

	"nth/shim/marker"
	"nth/shim/store"
)

// Write is before a command: it makes a file and a tree, each with the name of its run, and
// adds to what it finds.
const Write = `mkdir -p w/tree/sub; for f in one tree/a tree/sub/b; do echo "$NTH_ITEM_RUN_ID" >> w/$f; done; `

// Tree is what becomes of that.
var Tree = &Data{Keys: []string{"out/one", "tree/a", "tree/sub/b"}}

// Outputs are the flags by which it does.
func (i *Item) Outputs() []string {
	return []string{"--output", "w/one=" + i.Data("out", "one"), "--output", "w/tree/=" + i.Data("tree", "")}
}

// folder opens one that the item writes to; "" is that of its markers.
func (i *Item) folder(name string) *store.Store {
	prefix := i.Prefix
	if name != "" {
		prefix += "-" + name
	}
	return i.Place.Open(i.T, prefix)
}

// Put writes an object of such a folder.
func (i *Item) Put(folder, key, text string) {
	i.T.Helper()
	s := i.folder(folder)
	defer s.Close()
	if err := s.Put(context.Background(), key, []byte(text)); err != nil {
		i.T.Fatal(err)
	}
}

// Delete deletes one.
func (i *Item) Delete(folder, key string) {
	i.T.Helper()
	s := i.folder(folder)
	defer s.Close()
	if err := s.Delete(context.Background(), key); err != nil {
		i.T.Fatal(err)
	}
}

// Data is what is there of an item besides its documents. Nil: nothing.
type Data struct {
	Keys []string // what it publishes: folders and keys in them
	Read string   // what the command has read, and stands behind the name of its run
}

// text is what a run publishes.
func (d *Data) text(run string) string { return run + d.Read + "\n" }

// Killed is what must hold between a kill and the next start. It tells whether the item's
// outputs are committed: then nothing is to be run any more.
func (d *Data) Killed(i *Item, docs map[string]marker.Failure, m *marker.Marker, done bool) (committed bool) {
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
		if len(d.Keys) > 0 && !committed {
			i.T.Error("there is a marker without its commit")
		}
	}
	return committed
}

// targets gives what is published; what isn't must be staged, by a run that has said so.
func (d *Data) targets(i *Item, docs map[string]marker.Failure) map[string]string {
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
func (d *Data) whole(i *Item, there map[string]string, m *marker.Marker) {
	i.T.Helper()
	if keys := slices.Sorted(maps.Keys(there)); !slices.Equal(keys, d.Keys) || len(m.Outputs) != len(d.Keys) {
		i.T.Errorf("published is %q, want %q; the marker says %+v", keys, d.Keys, m.Outputs)
		return
	}
	want := d.text(m.RunID)
	sum := fmt.Sprintf("crc32c:%08x", crc32.Checksum([]byte(want), crc32.MakeTable(crc32.Castagnoli)))
	for n, key := range d.Keys {
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

// Final is what must hold in the end. The notes of runs that were killed are taken out of the
// documents.
func (d *Data) Final(i *Item, docs map[string]marker.Failure, m *marker.Marker) {
	i.T.Helper()
	if d == nil {
		return
	}
	d.whole(i, d.targets(i, docs), m)
	if commit := docs["commit/5.json"].RunID; len(d.Keys) > 0 && commit != m.RunID {
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

// Kept counts what is kept of a run that failed.
func (i *Item) Kept(run string) (n int) {
	i.T.Helper()
	for key := range i.Objects("kept") {
		if strings.HasPrefix(key, run+"/") {
			n++
		}
	}
	return n
}

// Copies tells whether a request is for a server to copy something.
func Copies(r *http.Request) bool {
	return r.Header.Get("X-Amz-Copy-Source") != "" || r.Header.Get("X-Ms-Copy-Source") != "" || strings.Contains(r.URL.Path, "/rewriteTo/") || strings.Contains(r.URL.Path, "/copyTo/")
}
