package commit

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nth/shim/marker"
	"nth/shim/store/contract"
)

// ttl is the measure of all times in a world, and that of its claims.
const ttl = time.Minute

// stormy is how long the faults of a world last; calm, until when it must have come to an
// end after that.
const (
	stormy = 15 * ttl
	calm   = 60 * ttl
)

// index is what all machines of a world want to do.
const index = 5

// The keys of a world, and what begins those at which anybody may stage.
const (
	markerKey = "m/done/5.json"
	commitKey = "m/commit/5.json"
)

var (
	targets = []string{"out/five.txt", "out/dir/sub/x"}
	others  = []string{"m/claim/5.json", "m/staging/5/", "out/.nth/", "out/dir/.nth/"}
)

// Digests are those of a command before and after it was changed.
const (
	before = "v1:sha256:before"
	after  = "v1:sha256:after"
)

// kind is what may happen in a world.
type kind struct {
	froze    bool // machines may stand still for any time, at any step
	claimed  bool
	onChange string // not "": the command is changed at some time
	admin    admin
	rules    rules
}

// count is what the worlds have met.
type count struct{ worlds, begun, commits, forwarded, lost, stale, replaced, takeovers, copies, late, resets int }

func (c *count) add(d count) {
	c.worlds++
	c.begun, c.commits, c.forwarded, c.lost, c.stale = c.begun+d.begun, c.commits+d.commits, c.forwarded+d.forwarded, c.lost+d.lost, c.stale+d.stale
	c.replaced, c.takeovers, c.copies, c.late, c.resets = c.replaced+d.replaced, c.takeovers+d.takeovers, c.copies+d.copies, c.late+d.late, c.resets+d.resets
}

// world is one index, a few machines that all want to do it, and a store between them. Time
// is synctest's, so that hours take milliseconds.
type world struct {
	kind
	began  time.Time
	tell   func(string, ...any)
	change time.Duration // when the command is changed

	late sync.WaitGroup // requests under way

	mu        sync.Mutex
	version   int
	objects   map[string]object
	marker    marker.Marker // as it stands; no RunID: there is none
	commit    Document
	succeeded map[string]bool // runs whose command has
	working   map[string]bool
	alive     int
	pending   int
	hold      bool // nothing new is begun
	ready     bool // the admin has come to an end
	wrong     []string
	count     count
}

func (w *world) at() time.Duration { return time.Since(w.began) }

func (w *world) violation(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf("%v: ", w.at())+fmt.Sprintf(format, args...))
	w.tell("WRONG %s", w.wrong[len(w.wrong)-1])
}

func (w *world) digest() string {
	if w.onChange != "" && w.at() >= w.change {
		return after
	}
	return before
}

// put writes a blob, and looks at what the world has come to.
func (w *world) put(m *machine, key string, body []byte) contract.Token {
	w.version++
	o := object{slices.Clone(body), w.version}
	w.objects[key] = o
	w.tell("%v %s: %s is %.40q", w.at(), m.Name, key, body)
	switch {
	case key == commitKey:
		w.committed(body)
	case key == markerKey:
		w.mark(body)
	case slices.Contains(targets, key):
		if w.marker.RunID != "" {
			w.count.late++
		}
		if !w.succeeded[string(body)] {
			w.violation("%s has what %q made, whose command hasn't succeeded", key, body)
		}
	case !slices.ContainsFunc(others, func(prefix string) bool { return strings.HasPrefix(key, prefix) }):
		w.violation("%s was written", key)
	}
	w.vouch()
	return o.token()
}

func (w *world) remove(m *machine, key string) {
	delete(w.objects, key)
	w.tell("%v %s: %s is removed", w.at(), m.Name, key)
	switch key {
	case commitKey:
		w.commit = Document{}
	case markerKey:
		w.marker = marker.Marker{}
	}
	w.vouch()
}

// committed looks at a new commit. One that could still be rolled forward must not be
// replaced by another of the same digest, and without reason none is at all.
func (w *world) committed(body []byte) {
	doc, err := Decode(body, marker.Header{Index: index})
	if err != nil {
		w.violation("%s: %v", body, err)
	}
	old := w.commit
	w.commit = doc
	w.count.commits++
	if old.Marker.RunID == "" || old.Marker.RunID == doc.Marker.RunID {
		return
	}
	w.count.replaced++
	staged := 0
	for n, o := range []string{"out/.nth/%s/0/five.txt", "out/dir/.nth/%s/1/sub/x"} {
		if _, ok := w.objects[fmt.Sprintf(o, old.Marker.RunID)]; ok {
			staged += n + 1
		}
	}
	switch {
	case w.onChange != marker.OnChangeRerun && w.admin == nil:
		w.violation("%s commits over %s", doc.Marker.RunID, old.Marker.RunID)
	case old.Marker.Digest == doc.Marker.Digest && staged == 3 && w.marker.RunID == "":
		w.violation("%s commits over %s, which could be rolled forward", doc.Marker.RunID, old.Marker.RunID)
	}
}

// mark looks at a new marker: that of the commit isn't replaced by another run's.
func (w *world) mark(body []byte) {
	old, commit := w.marker.RunID, w.commit.Marker.RunID
	w.marker = marker.Marker{}
	if err := json.Unmarshal(body, &w.marker); err != nil {
		w.violation("%s: %v", body, err)
	}
	if old != "" && old == commit && w.marker.RunID != commit && w.admin == nil {
		w.violation("the marker of %s, whose commit stands, is replaced by that of %s", old, w.marker.RunID)
	}
}

// vouch holds the outputs against the marker. While a later commit stands beside the marker
// the item is being run again; nothing is promised until that one has its own.
func (w *world) vouch() {
	run := w.marker.RunID
	if run == "" || w.marker.Source != marker.SourceRun {
		return
	}
	if c := w.commit.Marker.RunID; c != "" && c != run {
		if w.onChange != marker.OnChangeRerun && w.admin == nil {
			w.violation("the marker is of %s, and the commit of %s", run, c)
		}
		return
	}
	for _, key := range targets {
		if got := string(w.objects[key].body); got != run {
			w.violation("the marker is of %s, and %s of %q", run, key, got)
		}
	}
}

// recorded tells whether there is nothing left to do.
func (w *world) recorded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.admin != nil && !w.ready {
		return false
	}
	return w.marker.RunID != "" && (w.onChange != marker.OnChangeRerun || w.marker.Digest == after)
}

// end looks at what the world has come to in the end.
func (w *world) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	stuck := w.onChange != "" && w.onChange != marker.OnChangeRerun && w.commit.Marker.Digest == before // a person must say
	switch {
	case w.marker.RunID == "" && !stuck, w.onChange == marker.OnChangeRerun && w.marker.Digest != after:
		w.violation("nobody has made progress: the marker is of %q, the commit of %q", w.marker.RunID, w.commit.Marker.RunID)
	case w.onChange != marker.OnChangeRerun && w.marker.RunID != "" && w.commit.Marker.RunID != w.marker.RunID:
		w.violation("in the end the marker is of %s, and the commit of %q", w.marker.RunID, w.commit.Marker.RunID)
	}
	before := len(w.wrong)
	if w.vouch(); len(w.wrong) > before {
		w.violation("in the end the outputs are mixed")
	}
}

// simulate gives what went wrong in a world, and what it has met.
func simulate(t *testing.T, n uint64, k kind) (wrong []string, met count) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{kind: k, began: time.Now(), objects: map[string]object{}, succeeded: map[string]bool{}, working: map[string]bool{}, tell: func(string, ...any) {}}
		if *seed != 0 {
			w.tell = t.Logf
		}
		w.change = time.Duration(rand.New(rand.NewPCG(n, 99)).Int64N(int64(6 * ttl)))
		var all sync.WaitGroup
		for i := range 2 + n/8%2 {
			m := newMachine(t, w, n, int(i))
			all.Go(m.live)
		}
		if k.admin != nil {
			all.Go(func() { k.admin(newMachine(t, w, n, 25)) })
		}
		all.Wait()
		w.late.Wait()
		w.end()
		wrong, met = w.wrong, w.count
	})
	return wrong, met
}
