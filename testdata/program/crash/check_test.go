//go:build linux

package crash

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"nth/shim/claim"
	"nth/shim/marker"
	"nth/testdata/matrix"
)

// killed looks at what is there after the kill, starts the item again until it is
// done, and checks how often it had its effect.
func (c *crash) killed(i *matrix.Item, h matrix.History) {
	i.T.Helper()
	docs, effects, m := i.Documents(), len(i.Ran()), i.Marker()
	done := m != nil && c.its(i, m.Digest)
	c.justKilled(i, h, docs, done)
	committed := c.data.Killed(i, docs, m, done)
	c.age(i)
	c.recover(i)
	want := effects
	if !done && !committed && c.effects() > 0 {
		want++
	}
	got := len(i.Ran())
	if got != want || got > max(within(h.Step()), effects) || got < c.effects() {
		i.T.Errorf("killed at %q, marker there: %v: the effect is there %d times, want %d", h.Step(), done, got, want)
	}
	c.final(i)
}

// its tells whether a digest is the item's, and not that of a command before.
func (c *crash) its(i *matrix.Item, digest string) bool {
	if c.data != nil { // whose places are the item's own
		return digest != "" && digest != i.Before.Digest
	}
	return digest == c.digest
}

// age makes an hour's claim that a killed run has left one of a moment.
func (c *crash) age(i *matrix.Item) {
	i.T.Helper()
	s := c.place.Open(i.T, i.Prefix)
	body, _, err := s.Read(i.T.Context(), "claim/5.json")
	if err != nil {
		return // it came to no claim
	}
	doc, err := claim.Decode(body, 5)
	if err == nil {
		doc.TTL = 0.1
		body, err = json.Marshal(doc)
	}
	if err == nil {
		err = s.Put(i.T.Context(), "claim/5.json", body)
	}
	if err != nil {
		i.T.Error(err)
	}
}

// justKilled is what must hold between a kill and the next start.
func (c *crash) justKilled(i *matrix.Item, h matrix.History, docs map[string]marker.Failure, done bool) {
	i.T.Helper()
	effects := len(i.Ran())
	switch {
	case effects > 0 && !h.Started:
		i.T.Error("the command ran before nth said that it starts")
	case effects > within(h.Step())-1 && c.effects() > 0:
		i.T.Errorf("killed at %q, the effect is there %d times", h.Step(), effects)
	case h.Recorded && !done:
		i.T.Error("nth says that it is recorded, and there is no such marker")
	case done && effects < c.effects():
		i.T.Error("there is a marker, and the command had no effect")
	case done && c.outcome == marker.Skipped && docs["skipped/5.json"].RunID == "":
		i.T.Error("there is a marker of a skipped item that no listing shows as such")
	case strings.HasSuffix(c.name, "rerun") && docs["done/5.json"].RunID == "":
		i.T.Error("the marker that is to be replaced is gone")
	case c.name == "failing" && docs["failed/5.json"].RunID == "":
		i.T.Error("the record of the failure before is gone")
	}
}

// recover starts the item again until it is done: one that fails does so once more.
func (c *crash) recover(i *matrix.Item) {
	i.T.Helper()
	if c.code != 0 {
		before := i.Documents()["failed/5.json"].Failures
		if !i.Exists("enough") {
			i.Run(c.code)
			i.Write("enough", "")
		}
		f := i.Documents()["failed/5.json"]
		if f.Failures != before+1 || f.ExitCode != c.code || f.CommandCode == nil || *f.CommandCode != c.code || f.Stderr != "why: ***\n" {
			i.T.Errorf("the record of a failure, after %d: %+v", before, f)
		}
		if kept := i.Kept(f.RunID); c.name == "keep-failed" && kept != len(c.data.Keys) {
			i.T.Errorf("%d files of the run that failed are kept", kept)
		}
	}
	i.Run(0)
}

// final is what must hold in the end, wherever nth was killed.
func (c *crash) final(i *matrix.Item) {
	i.T.Helper()
	m := i.Marker()
	if m == nil {
		i.T.Fatal("there is no marker")
	}
	got := marker.Marker{Header: marker.Header{Index: m.Index, Digest: m.Digest}, ExitCode: m.ExitCode, Source: m.Source, Outcome: m.Outcome}
	digest := c.digest
	if c.data != nil && c.its(i, m.Digest) {
		digest = m.Digest
	}
	want := marker.Marker{Header: marker.Header{Index: 5, Digest: digest}, Source: c.source, Outcome: c.outcome}
	if c.outcome == marker.Skipped {
		want.ExitCode = 9
	}
	if diff := cmp.Diff(want, got); diff != "" {
		i.T.Errorf("the marker: %s", diff)
	}
	runs := i.Ran()
	if c.effects() > 0 && !slices.Contains(runs, m.RunID) {
		i.T.Errorf("the marker is of the run %s, and these had an effect: %q", m.RunID, runs)
	}
	docs := i.Documents()
	c.data.Final(i, docs, m)
	i.Keys(docs, append([]string{"done/5.json"}, c.must...))
	if h := i.Run(0); !h.Known || h.Started {
		i.T.Errorf("the next start doesn't say that it is done already: %s", h.Nth)
	}
	if diff := cmp.Diff(runs, i.Ran()); diff != "" {
		i.T.Errorf("the next start ran the command: %s", diff)
	}
}
