//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
	"nth/testdata/matrix"
	"nth/testdata/servers"
)

// crashSteps are the named steps of a run (shim.go), and how often an item has its
// effect in the end that was killed at the beginning of one, and at most when it
// was killed within it. Twice is only where the command may have ended and its
// marker isn't there yet: nobody can know then.
var crashSteps = []struct {
	name              string
	beginning, within int
}{
	{"identify", 1, 1},
	{"expand", 1, 1},
	{"look", 1, 1},
	{"done-if", 1, 1},
	{"require", 1, 1},
	{"command", 1, 2},
	{"judge", 2, 2},
	{"record", 2, 2},
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
	flags   func(i *item) []string
	prepare func(i *item) // what is there before
	script  string
	code    int // of a start that nobody harms
	steps   int // how many of them are begun
	source  string
	outcome string
	effects int
	must    []string // documents, beside the marker
}

var scenarios = []scenario{
	{name: "plain"},
	{name: "done-if of nothing", flags: func(i *item) []string { return []string{"--done-if", i.object("nothing")} }},
	{name: "done-if", flags: func(i *item) []string { return []string{"--done-if", i.object("5")} },
		steps: 4, source: marker.SourceDoneIf, effects: -1},
	{name: "require", flags: func(i *item) []string { return []string{"--require", i.object("5"), "--require", "/bin/sh"} }},
	{name: "record-start", flags: func(*item) []string { return []string{"--record-start"} }, must: []string{"started/5.json"}},
	{name: "failing", script: failing, code: 3, steps: 7,
		prepare: func(i *item) { i.run(3) }, must: []string{"failed/5.json"}},
	{name: "skip", flags: func(*item) []string { return []string{"--skip-exit-codes", "9"} }, script: work1 + "; exit 9",
		outcome: marker.Skipped, must: []string{"skipped/5.json"}},
	{name: "rerun", flags: func(*item) []string { return []string{"--on-change", "rerun"} }, prepare: func(i *item) {
		i.flags = append(i.flags, "--digest-extra", "before")
		i.run(0)
		i.remove("runs")
	}},
}

// object gives the URL of a blob that the scenarios look for: only 5 is there.
func (i *item) object(key string) string { return i.place.Object(i.at(), inputs, key) }

const inputs = "in"

func (s scenario) item(t *testing.T, place *matrix.Place, n int) *item {
	i := newItem(t, place, fmt.Sprintf("%s-%d", strings.ReplaceAll(s.name, " ", "-"), n))
	if s.script != "" {
		i.script = s.script
	}
	if s.flags != nil {
		i.flags = s.flags(i)
	}
	if s.prepare != nil {
		flags := i.flags
		s.prepare(i)
		i.flags = flags
	}
	i.flags = append(i.flags, "--marker-timeout", "10s")
	return i
}

func (s scenario) withDefaults() scenario {
	if s.steps == 0 {
		s.steps = len(crashSteps)
	}
	if s.source == "" {
		s.source = marker.SourceRun
	}
	if s.outcome == "" {
		s.outcome = marker.Done
	}
	s.effects++ // 1 unless it is said to be none
	return s
}

// TestCrash kills nth at every step, every log line, every call to the file system
// and every request to a store, lets it be started again as Kubernetes would, and
// looks at what is there in the end.
func TestCrash(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			t.Parallel()
			place := matrix.Start(t, row)
			if err := place.Open(t, inputs).Put(context.Background(), "5", []byte("{}")); err != nil {
				t.Fatal(err)
			}
			var kills, starts atomic.Int64
			t.Run("of", func(t *testing.T) {
				for _, s := range scenarios {
					t.Run(s.name, func(t *testing.T) {
						t.Parallel()
						c := &crash{scenario: s.withDefaults(), place: place}
						kills.Add(int64(c.all(t)))
						starts.Add(int64(c.starts()))
					})
				}
			})
			t.Logf("nth was killed %d times, in %d starts", kills.Load(), starts.Load())
		})
	}
}

// crash is one scenario on one store.
type crash struct {
	scenario
	place  *matrix.Place
	digest string
	items  []*item
}

func (c *crash) next(t *testing.T) *item {
	i := c.item(t, c.place, len(c.items))
	c.items = append(c.items, i)
	return i
}

func (c *crash) starts() (n int) {
	for _, i := range c.items {
		n += i.starts
	}
	return n
}

// all gives how often nth was killed.
func (c *crash) all(t *testing.T) int {
	c.unharmed(t)
	var kills []string
	sum := 0
	count := func(n int, where string) {
		sum += n
		kills = append(kills, fmt.Sprintf("%d %s", n, where))
	}
	for n, s := range crashSteps[:c.steps] {
		want := s.beginning
		if c.code != 0 || c.effects == 0 {
			want = c.effects // the start that was killed had none
		}
		c.atStep(t, n, want)
	}
	count(c.steps, "at a step's beginning")
	count(c.each(t, c.atLine), "at a line of the log or the command's end")
	if c.place.Dir != "" {
		count(c.each(t, c.atFile), "at a call to the file system")
	} else {
		count(c.each(t, c.atRequest(servers.Reset)), "before a request")
		count(c.each(t, c.atRequest(servers.LoseReply)), "after one")
	}
	if c.effects > 0 {
		c.whileWorking(t)
		count(1, "while the command works")
	}
	t.Logf("killed: %s", strings.Join(kills, ", "))
	return sum
}

// unharmed is the run that all others are compared with.
func (c *crash) unharmed(t *testing.T) {
	i := c.next(t)
	h := i.run(c.code)
	var want []string
	for _, s := range crashSteps[:c.steps] {
		want = append(want, s.name)
	}
	if diff := cmp.Diff(want, h.steps); diff != "" {
		t.Fatalf("the steps: %s", diff)
	}
	c.recover(i)
	c.digest = i.marker().Digest
	c.final(i)
	if got := len(i.ran()); got != c.effects {
		t.Errorf("the effect was there %d times, want %d", got, c.effects)
	}
}

// each kills one start at its n-th place, for every n until none is reached, and
// gives their count.
func (c *crash) each(t *testing.T, start func(t *testing.T, i *item, n int) (code int)) int {
	for n := 0; ; n++ {
		i := c.next(t)
		i.t = t
		code := start(t, i, n)
		if t.Failed() {
			t.Fatalf("at the place %d", n)
		}
		if code != matrix.Killed {
			i.ended(code, c.code)
			return n
		}
		c.killed(i, i.ended(code, matrix.Killed))
		if t.Failed() {
			t.Fatalf("killed at the place %d: %s", n, i.read(fmt.Sprintf("output-%d", i.starts)))
		}
	}
}

// atStep kills when the n-th step has been logged, and does what it does next.
func (c *crash) atStep(t *testing.T, n, effects int) {
	i := c.next(t)
	container := i.container(c.place.Base())
	code := c.trace(t, container, n, func(call matrix.Call) bool {
		return call.Name == "write" && call.Done && slices.Contains(call.Paths, container.Output) && strings.Contains(call.Text, `"step":`)
	})
	h := i.ended(code, matrix.Killed)
	if h.step() != crashSteps[n].name {
		t.Errorf("killed at %q, not at %q", h.step(), crashSteps[n].name)
	}
	c.killed(i, h)
	if got := len(i.ran()); got != effects || t.Failed() {
		t.Fatalf("killed at the beginning of %q: the effect is there %d times, want %d", h.step(), got, effects)
	}
}

// atLine kills before the n-th line of the log, or when the n-th process that nth
// has started was waited for.
func (c *crash) atLine(t *testing.T, i *item, n int) int {
	container := i.container(c.place.Base())
	return c.trace(t, container, n, func(call matrix.Call) bool {
		line := call.Name == "write" && !call.Done && slices.Contains(call.Paths, container.Output)
		return line || call.Name == "wait4" && call.Done && call.Result > 0
	})
}

// atFile kills before and after the n-th call about a file below the place.
func (c *crash) atFile(t *testing.T, i *item, n int) int {
	return c.trace(t, i.container(c.place.Base()), n, func(call matrix.Call) bool {
		return slices.ContainsFunc(call.Paths, func(path string) bool { return strings.HasPrefix(path, c.place.Dir) })
	})
}

func (c *crash) trace(t *testing.T, container matrix.Container, n int, here func(matrix.Call) bool) int {
	code, err := matrix.Trace(container, func(call matrix.Call) bool {
		if here(call) {
			n--
		}
		return n < 0
	})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// atRequest kills when the n-th request has come; last is what happens to it.
func (c *crash) atRequest(last servers.Action) func(*testing.T, *item, int) int {
	return func(t *testing.T, i *item, n int) int {
		var kill atomic.Value
		proxy := c.place.Fault(t, func(k int, _ *http.Request) servers.Action {
			if k != n {
				return nil
			}
			return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
				defer kill.Load().(func())()
				last(f, w, r)
			}
		})
		defer proxy.Close()
		code, err := matrix.Run(i.container(proxy.URL), func(k func()) { kill.Store(k) })
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
}

// whileWorking kills while the command runs, which is then started anew.
func (c *crash) whileWorking(t *testing.T) {
	i := c.next(t)
	i.write("hold", "")
	code, err := matrix.Run(i.container(c.place.Base()), func(kill func()) {
		go func() {
			for !i.exists("running") && t.Context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
			kill()
		}()
	})
	if err != nil {
		t.Fatal(err)
	}
	i.remove("hold")
	h := i.ended(code, matrix.Killed)
	if !h.started || h.ended || len(i.ran()) > 0 {
		t.Errorf("it wasn't killed while the command was at work: %+v", h)
	}
	c.killed(i, h)
	if got := len(i.ran()); got != 1 {
		t.Errorf("the effect was there %d times", got)
	}
}

// killed looks at what is there after the kill, starts the item again until it is
// done, and checks how often it had its effect.
func (c *crash) killed(i *item, h history) {
	i.t.Helper()
	docs, effects, m := i.documents(), len(i.ran()), i.marker()
	done := m != nil && m.Digest == c.digest
	c.justKilled(i, h, docs, done)
	c.recover(i)
	want := effects
	if !done && c.effects > 0 {
		want++
	}
	got := len(i.ran())
	if got != want || got > max(within(h.step()), effects) || got < c.effects {
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
	case effects > within(h.step())-1 && c.effects > 0:
		i.t.Errorf("killed at %q, the effect is there %d times", h.step(), effects)
	case h.recorded && !done:
		i.t.Error("nth says that it is recorded, and there is no such marker")
	case done && effects < c.effects:
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
	if c.effects > 0 && !slices.Contains(runs, m.RunID) {
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
