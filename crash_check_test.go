//go:build linux

package main

import (
	"slices"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
)

// killed looks at what is there after the kill, starts the item again until it is
// done, and checks how often it had its effect.
func (c *crash) killed(i *item, h history) {
	i.t.Helper()
	docs, effects, m := i.documents(), len(i.ran()), i.marker()
	done := m != nil && m.Digest == c.digest
	c.justKilled(i, h, docs, done)
	c.recover(i)
	want := effects
	if !done && c.effects() > 0 {
		want++
	}
	got := len(i.ran())
	if got != want || got > max(within(h.step()), effects) || got < c.effects() {
		i.t.Errorf("killed at %q, marker there: %v: the effect is there %d times, want %d", h.step(), done, got, want)
	}
	c.final(i)
}

// justKilled is what must hold between a kill and the next start.
func (c *crash) justKilled(i *item, h history, docs map[string]marker.Failure, done bool) {
	i.t.Helper()
	effects := len(i.ran())
	switch {
	case effects > 0 && !h.started:
		i.t.Error("the command ran before nth said that it starts")
	case effects > within(h.step())-1 && c.effects() > 0:
		i.t.Errorf("killed at %q, the effect is there %d times", h.step(), effects)
	case h.recorded && !done:
		i.t.Error("nth says that it is recorded, and there is no such marker")
	case done && effects < c.effects():
		i.t.Error("there is a marker, and the command had no effect")
	case done && c.outcome == marker.Skipped && docs["skipped/5.json"].RunID == "":
		i.t.Error("there is a marker of a skipped item that no listing shows as such")
	case c.name == "rerun" && docs["done/5.json"].RunID == "":
		i.t.Error("the marker that is to be replaced is gone")
	case c.name == "failing" && docs["failed/5.json"].RunID == "":
		i.t.Error("the record of the failure before is gone")
	}
}

// recover starts the item again until it is done: one that fails does so once more.
func (c *crash) recover(i *item) {
	i.t.Helper()
	if c.code != 0 {
		before := i.documents()["failed/5.json"].Failures
		if !i.exists("enough") {
			i.run(c.code)
			i.write("enough", "")
		}
		f := i.documents()["failed/5.json"]
		if f.Failures != before+1 || f.ExitCode != c.code || f.CommandCode == nil || *f.CommandCode != c.code || f.Stderr != "why: ***\n" {
			i.t.Errorf("the record of a failure, after %d: %+v", before, f)
		}
	}
	i.run(0)
}

// final is what must hold in the end, wherever nth was killed.
func (c *crash) final(i *item) {
	i.t.Helper()
	m := i.marker()
	if m == nil {
		i.t.Fatal("there is no marker")
	}
	got := marker.Marker{Header: marker.Header{Index: m.Index, Digest: m.Digest}, ExitCode: m.ExitCode, Source: m.Source, Outcome: m.Outcome}
	want := marker.Marker{Header: marker.Header{Index: 5, Digest: c.digest}, Source: c.source, Outcome: c.outcome}
	if c.outcome == marker.Skipped {
		want.ExitCode = 9
	}
	if diff := cmp.Diff(want, got); diff != "" {
		i.t.Errorf("the marker: %s", diff)
	}
	runs := i.ran()
	if c.effects() > 0 && !slices.Contains(runs, m.RunID) {
		i.t.Errorf("the marker is of the run %s, and these had an effect: %q", m.RunID, runs)
	}
	i.keys(i.documents(), append([]string{"done/5.json"}, c.must...))
	if h := i.run(0); !h.known || h.started {
		i.t.Errorf("the next start doesn't say that it is done already: %s", h.nth)
	}
	if diff := cmp.Diff(runs, i.ran()); diff != "" {
		i.t.Errorf("the next start ran the command: %s", diff)
	}
}
