//go:build linux

package crash

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nth/testdata/harness"
	"nth/testdata/matrix"
	"nth/testdata/servers"
)

// TestTwins: of two runs of one item, each in a pod of its own, one is paused, and goes on
// when the other has come to its end. Both succeed, and the outputs are those of the one that
// committed, also when the other one wakes up in the middle of publishing.
func TestTwins(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			t.Parallel()
			place := matrix.Start(t, row)
			for _, tt := range []struct {
				name  string
				pause func(*pause)
				first bool // it is the paused one that wins
				says  string
			}{
				{"before it stages", atLog("stage"), false, ", which was first"},
				{"before it commits", atLog("commit"), false, ", which was first"},
				{"before it copies", atCopy, true, "is recorded as done"},
				{"before its marker", atMarker, true, "is recorded as done"},
			} {
				t.Run(tt.name, func(t *testing.T) {
					t.Parallel()
					s := scenario{name: tt.name, with: commits, data: matrix.Tree, script: matrix.Write + matrix.Work, flags: withOutputs("--store-timeout", "10m"), must: []string{"commit/5.json"}}
					c := &crash{scenario: s.withDefaults(), place: place}
					one, other := c.item(t, place, 0), c.item(t, place, 0)
					p := &pause{Item: one, reached: make(chan struct{}), goOn: make(chan struct{}), ended: make(chan struct{})}
					t.Cleanup(p.let)
					tt.pause(p)
					select {
					case <-p.reached:
					case <-p.ended:
						t.Fatalf("it came to its end: %s", one.Read("output-1"))
					case <-time.After(harness.Patience):
						t.Fatal("it doesn't come that far")
					}
					other.Run(0)
					p.let()
					<-p.ended
					if p.err != nil {
						t.Fatal(p.err)
					}
					if h := one.Ended(p.code, 0); !strings.Contains(h.Nth, tt.says) {
						t.Errorf("it doesn't say %q: %s", tt.says, h.Nth)
					}
					winner, ran := other, 1
					if tt.first {
						winner, ran = one, 0
					}
					other.Effects(ran)
					c.final(winner)
				})
			}
		})
	}
}

// pause is a run that is paused somewhere.
type pause struct {
	*matrix.Item
	reached, goOn, ended chan struct{}

	once, first sync.Once
	code        int
	err         error
}

// let has it go on.
func (p *pause) let() { p.once.Do(func() { close(p.goOn) }) }

// here is where it waits.
func (p *pause) here() {
	p.first.Do(func() { close(p.reached) })
	<-p.goOn
}

// trace pauses where the kernel is called so: none of its threads gets further.
func (p *pause) trace(so func(matrix.Call) bool) {
	container := p.Container(p.Place.Base())
	go func() {
		defer close(p.ended)
		p.code, p.err = matrix.Trace(container, func(call matrix.Call) bool {
			if so(call) {
				p.here()
			}
			return false
		})
	}()
}

// atLog pauses when a step has been logged, and nothing of it is done.
func atLog(step string) func(*pause) {
	return func(p *pause) {
		p.trace(func(call matrix.Call) bool {
			return call.Name == "write" && call.Done && strings.Contains(call.Text, `"step":"`+step+`"`)
		})
	}
}

// atRequest pauses at the requests that are so.
func (p *pause) atRequest(so func(*http.Request) bool) {
	proxy := p.Place.Fault(p.T, func(_ int, r *http.Request) servers.Action {
		if !so(r) {
			return nil
		}
		return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
			p.here()
			servers.Pass(f, w, r)
		}
	})
	container := p.Container(proxy.URL)
	go func() {
		defer close(p.ended)
		p.code, p.err = matrix.Run(container, nil)
	}()
}

// atCopy pauses before the first of its objects is at its place.
func atCopy(p *pause) {
	if p.Place.Server != nil {
		p.atRequest(matrix.Copies)
		return
	}
	p.trace(func(call matrix.Call) bool {
		return strings.HasPrefix(call.Name, "rename") && !call.Done && slices.ContainsFunc(call.Paths, func(path string) bool {
			return strings.HasPrefix(path, p.Place.Dir+"/"+p.Prefix+"-") && !strings.Contains(path, "/.nth/")
		})
	})
}

// atMarker pauses before the marker is there.
func atMarker(p *pause) {
	if p.Place.Server != nil {
		p.atRequest(func(r *http.Request) bool {
			return r.Method != http.MethodGet && strings.Contains(r.URL.Path+r.URL.Query().Get("name"), "done/5.json")
		})
		return
	}
	p.trace(func(call matrix.Call) bool {
		return strings.HasPrefix(call.Name, "link") && !call.Done && slices.ContainsFunc(call.Paths, func(path string) bool { return strings.HasSuffix(path, "/done/5.json") })
	})
}
