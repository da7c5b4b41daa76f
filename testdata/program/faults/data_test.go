//go:build linux

package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"nth/testdata/matrix"
	"nth/testdata/servers"
)

// publishing are the requests by which outputs are published, and what it means when none of
// a kind comes through: how the run ends, and whether it has committed by then. With a
// request that was carried out, though its answer was lost, the next kind has its turn.
var publishing = []publishingKind{
	{"the look for a commit", func(r *http.Request) bool { return about(r, "commit") && !writes(r) }, 69, 0, false, false},
	{"the note", func(r *http.Request) bool { return about(r, "staging") && writes(r) && r.Method != http.MethodDelete }, 73, 1, false, false},
	{"an upload", func(r *http.Request) bool {
		return staged(r) && writes(r) && r.Method != http.MethodDelete && !matrix.Copies(r)
	}, 73, 1, false, false},
	{"the commit", func(r *http.Request) bool { return about(r, "commit") && writes(r) }, 73, 1, false, true},
	{"a copy", matrix.Copies, 73, 1, true, false},
	{"the marker", func(r *http.Request) bool { return about(r, "done") && writes(r) }, 73, 1, true, true},
	{"a deletion", func(r *http.Request) bool { return staged(r) && r.Method == http.MethodDelete }, 0, 1, true, false},
}

type publishingKind struct {
	name      string
	is        func(r *http.Request) bool
	code      int
	effects   int
	committed bool
	landed    bool // it is enough that it is carried out: the answer can be done without
}

func staged(r *http.Request) bool {
	return strings.Contains(r.URL.Path+" "+r.URL.Query().Get("name"), "/.nth/")
}

// TestPublishing: each fault at each kind of request of an item with outputs, at the first
// and at all of them. What is published is one run's in the end, and who has committed isn't
// run again.
func TestPublishing(t *testing.T) {
	eachServer(t, func(t *testing.T, place *matrix.Place) {
		var cases atomic.Int64
		t.Run("of", func(t *testing.T) {
			for o, op := range publishing {
				for f, fault := range networkFaults {
					if !fault.harmful || fault.name == "503" {
						continue
					}
					t.Run(op.name+"/"+fault.name, func(t *testing.T) {
						t.Parallel()
						for _, always := range []bool{false, true} {
							publish(t, place, o, f, always)
							cases.Add(1)
						}
					})
				}
			}
		})
		t.Logf("%d cases", cases.Load())
	})
}

func publish(t *testing.T, place *matrix.Place, o, f int, always bool) {
	op, fault := publishing[o], networkFaults[f]
	var seen atomic.Int64
	proxy := place.Fault(t, func(_ int, r *http.Request) servers.Action {
		if op.is(r) && (seen.Add(1) == 1 || always) {
			return fault.action
		}
		return nil
	})
	i := publisher(t, place, fmt.Sprintf("%d-%d-%v", o, f, always))
	flags := i.Flags
	i.Base, i.Flags = proxy.URL, slices.Concat(flags, patient, fault.flags)
	code := 0
	if always {
		i.Flags, code = slices.Concat(flags, matrix.Quick, fault.flags), op.code
	}
	h := i.Run(code)
	if seen.Load() == 0 {
		t.Fatalf("no such request came: %s", proxy.Requests())
	}
	if code != 0 && (!hinted(h.Failure) || !strings.Contains(h.Failure, fault.says)) {
		t.Errorf("the failure says too little: %s", h.Failure)
	}
	effects := op.effects
	if !always {
		effects = 1
	}
	i.Effects(effects)
	m := i.Marker()
	committed := matrix.Tree.Killed(i, i.Documents(), m, m != nil)
	if want := !always || op.committed || op.landed && fault.landed; committed != want {
		t.Errorf("a commit is there: %v: %s", committed, h.Nth)
	}
	if done := !always || op.code == 0 || op.landed && fault.landed && op.committed; done != (m != nil) {
		t.Errorf("the marker: %+v", m)
	}
	i.Base, i.Flags = "", flags
	if i.Run(0); !committed {
		effects++
	}
	i.Effects(effects)
	published(i, always)
}

// publisher is an item with outputs.
func publisher(t *testing.T, place *matrix.Place, prefix string) *matrix.Item {
	i := matrix.NewItem(t, place, prefix)
	i.Flags, i.Script = i.Outputs(), matrix.Write+matrix.Work
	return i
}

// published is what must hold in the end; what a run that failed has staged may be left.
func published(i *matrix.Item, left bool) {
	i.T.Helper()
	docs, m := i.Documents(), i.Marker()
	if left {
		delete(docs, "failed/5.json")
		i.Killed = append(i.Killed, i.Runs...)
	}
	matrix.Tree.Final(i, docs, m)
	i.Keys(docs, []string{"commit/5.json", "done/5.json"})
}

// TestStoreLeaves: the store is away from the n-th request on, for longer than is waited for
// it. A command that has ended is 73, unless its marker is there; the next start publishes
// what is committed, and runs again what isn't.
func TestStoreLeaves(t *testing.T) {
	eachServer(t, func(t *testing.T, place *matrix.Place) {
		unharmed := place.Fault(t, nil)
		i := publisher(t, place, "unharmed")
		i.Base = unharmed.URL
		i.Run(0)
		published(i, false)
		var l leaving
		var all []*left
		var running sync.WaitGroup // of those that mostly wait
		for n := range unharmed.Requests() {
			c := leave(t, place, n)
			all = append(all, c)
			running.Go(func() { c.code, c.err = matrix.Run(c.start, nil) })
		}
		running.Wait()
		for n, c := range all {
			t.Run(fmt.Sprint("from request ", n), func(t *testing.T) {
				c.T = t
				l.look(c)
			})
		}
		if l.none == 0 || l.lost == 0 || l.forwarded == 0 || l.done == 0 {
			t.Error("not all of it was seen")
		}
		t.Logf("away in %d cases: before the command %d, without a commit %d, with one %d, with a marker %d", len(all),
			l.none, l.lost, l.forwarded, l.done)
	})
}

// leaving counts what a store that went away has met.
type leaving struct{ none, lost, forwarded, done int }

// left is a run whose store went away.
type left struct {
	*matrix.Item
	start matrix.Container
	code  int
	err   error
}

func leave(t *testing.T, place *matrix.Place, n int) *left {
	i := publisher(t, place, fmt.Sprint(n))
	proxy := place.Fault(t, func(k int, _ *http.Request) servers.Action {
		if k >= n {
			return servers.Reset
		}
		return nil
	})
	flags := i.Flags
	i.Flags = slices.Concat(flags, matrix.Quick)
	c := &left{Item: i, start: i.Container(proxy.URL)}
	i.Flags = flags
	return c
}

func (l *leaving) look(i *left) {
	if i.err != nil {
		i.T.Fatal(i.err)
	}
	m := i.Marker()
	committed := matrix.Tree.Killed(i.Item, i.Documents(), m, m != nil)
	effects, want, again := len(i.Ran()), 73, 0
	switch {
	case m != nil:
		want = 0
		l.done++
	case committed:
		l.forwarded++
	case effects > 0:
		again = 1
		l.lost++
	default:
		want, again = 69, 1
		l.none++
	}
	i.Ended(i.code, want)
	if h := i.Run(0); h.Started != (again > 0) {
		i.T.Errorf("committed: %v, marker there: %v: %s", committed, m != nil, h.Nth)
	}
	i.Effects(effects + again)
	published(i.Item, true)
}

// TestLatePublishing: nth is killed when a request is on its way, which the server carries
// out when the next start is at the same one, or has come to its end.
func TestLatePublishing(t *testing.T) {
	eachServer(t, func(t *testing.T, place *matrix.Place) {
		for n, tt := range []struct {
			request string
			effects int
			wins    func(before bool) bool // the run that was killed
		}{
			{"an upload", 2, func(bool) bool { return false }},
			{"the commit", 2, func(before bool) bool { return before }},
			{"a copy", 1, func(bool) bool { return true }},
			{"the marker", 1, func(bool) bool { return true }},
		} {
			for _, before := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, before the next: %v", tt.request, before), func(t *testing.T) {
					i := publisher(t, place, fmt.Sprintf("%d-%v", n, before))
					i.Flags = append(i.Flags, patient...)
					op := slices.IndexFunc(publishing, func(p publishingKind) bool { return p.name == tt.request })
					w := &lateWrite{is: publishing[op].is, first: before, held: make(chan struct{}), done: make(chan struct{}), killed: make(chan func(), 1)}
					f := place.Fault(t, w.decide)
					code, err := matrix.Run(i.Container(f.URL), func(kill func()) { w.killed <- kill })
					if err != nil {
						t.Fatal(err)
					}
					i.Ended(code, matrix.Killed)
					i.Base = f.URL
					i.Run(0)
					w.let()
					<-w.done
					i.Effects(tt.effects)
					published(i, true)
					if m, first := i.Marker(), i.Runs[0]; (m.RunID == first) != tt.wins(before) {
						t.Errorf("the marker is of %s, and of %s were killed", m.RunID, i.Killed)
					}
				})
			}
		}
	})
}
