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
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/matrix"
	"nth/testdata/servers"
)

// networkFaults are what may happen to one request. The marker may be there all
// the same after a write that failed: the server did carry it out.
var networkFaults = []struct {
	name    string
	action  servers.Action
	harmful bool
	landed  bool
	says    string
	flags   []string
	record  bool // also at all requests for the failure's record, which takes its 5 seconds
}{
	{"latency", servers.Delay(50 * time.Millisecond), false, true, "", nil, false},
	{"reset", servers.Reset, true, false, "the server closed the connection", nil, true},
	{"reset in the request's body", servers.CutRequest, true, false, "connection", nil, false},
	{"reset in the answer's body", servers.Truncate, true, true, "", nil, false},
	{"black hole", servers.Stall, true, false, "--store-timeout", []string{"--store-timeout", "500ms"}, true},
	{"500", servers.Answer(500, ""), true, false, "status 500", nil, false},
	{"503", servers.Answer(503, "slow down"), true, false, "status 503", nil, false},
	{"reply lost", servers.LoseReply, true, true, "the server closed the connection", nil, true},
}

// operations are those of a run, by the requests that make them: what a fault at
// all of them means, and what it means at the first alone.
var operations = []struct {
	name    string
	dir     string
	write   bool
	marker  bool // it writes the marker itself
	failing bool // the command
	flags   func(i *matrix.Item) []string
	script  string
	code    int // when none of them comes through
	effects int
}{
	{name: "the first read", dir: "done", code: 69},
	{name: "the required input", dir: matrix.Inputs, flags: func(i *matrix.Item) []string { return []string{"--require", i.Object("5")} }, code: 69},
	{name: "the result of done-if", dir: matrix.Inputs, flags: func(i *matrix.Item) []string { return []string{"--done-if", i.Object("nothing")} }, code: 69},
	{name: "the marker's write", dir: "done", write: true, marker: true, code: 73, effects: 1},
	{name: "the skipped item's entry", dir: "skipped", write: true, flags: func(*matrix.Item) []string { return []string{"--skip-exit-codes", "9"} },
		script: matrix.Work + "; exit 9", code: 73, effects: 1},
	{name: "the failure's record", dir: "failed", write: true, failing: true, script: matrix.Failing, code: 3},
}

// eachServer runs a test for each store that is asked over the network.
func eachServer(t *testing.T, test func(*testing.T, *matrix.Place)) {
	for row := range matrix.Stores {
		if matrix.Stores[row].Server {
			t.Run(matrix.Stores[row].Name, func(t *testing.T) { test(t, matrix.Start(t, row)) })
		}
	}
}

// TestFaults: each fault at each operation, at its first request and at all of them.
func TestFaults(t *testing.T) {
	eachServer(t, func(t *testing.T, place *matrix.Place) {
		var cases atomic.Int64
		if err := place.Open(t, matrix.Inputs).Put(t.Context(), "5", []byte("{}")); err != nil {
			t.Fatal(err)
		}
		t.Run("of", func(t *testing.T) {
			for o := range operations {
				for f := range networkFaults {
					t.Run(operations[o].name+"/"+networkFaults[f].name, func(t *testing.T) {
						t.Parallel()
						prefix := fmt.Sprintf("%d-%d", o, f)
						faultOnce(t, place, prefix+"-once", o, f)
						cases.Add(1)
						if !operations[o].failing || networkFaults[f].record {
							faultAlways(t, place, prefix+"-always", o, f)
							cases.Add(1)
						}
					})
				}
			}
		})
		t.Logf("%d cases", cases.Load())
	})
}

// patient are the flags of a run that gets over what happens once, also on a machine
// that is busy.
var patient = []string{"--store-wait", "10m", "--marker-timeout", "10m"}

// through is an item whose store misbehaves: at the n-th request of the operation,
// or with 0 at each. It gives the item a command that fails, where it has to. seen counts
// the operation's requests.
func through(t *testing.T, place *matrix.Place, prefix string, o, f, n int) (i *matrix.Item, seen *atomic.Int64) {
	i = matrix.NewItem(t, place, prefix)
	op, fault := operations[o], networkFaults[f]
	seen = new(atomic.Int64)
	proxy := place.Fault(t, func(_ int, r *http.Request) servers.Action {
		if about(r, op.dir) && writes(r) == op.write {
			if k := seen.Add(1); n == 0 || k == int64(n) {
				return fault.action
			}
		}
		return nil
	})
	flags := patient
	if n == 0 {
		flags = matrix.Quick
	}
	asked(i, proxy.URL, o, slices.Concat(flags, fault.flags))
	if op.script != "" {
		i.Script = op.script
	}
	t.Cleanup(func() {
		if seen.Load() == 0 {
			t.Error("no such request came")
		}
	})
	return i, seen
}

// asked says where the item's store is asked, and with which flags.
func asked(i *matrix.Item, base string, o int, flags []string) {
	i.Base, i.Flags = base, slices.Clone(flags)
	if own := operations[o].flags; own != nil {
		i.Flags = append(i.Flags, own(i)...)
	}
}

func writes(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// faultOnce: a run gets over what happens once.
func faultOnce(t *testing.T, place *matrix.Place, prefix string, o, f int) {
	i, seen := through(t, place, prefix, o, f, 1)
	op, fault := operations[o], networkFaults[f]
	if op.failing {
		i.Run(3)
		if rec, there := i.Documents()["failed/5.json"]; !there || rec.ExitCode != 3 {
			t.Errorf("the record of the failure: %+v", rec)
		}
		return
	}
	h := i.Run(0)
	// On a connection that had served another request before, Go repeats one that changes
	// nothing by itself (net/http, Transport), and nth never hears of it.
	again := strings.Contains(h.Nth, "trying again") || !op.write && seen.Load() > 1
	if again != fault.harmful && !fault.landed {
		t.Errorf("it was tried again: %v, in %d requests: %s", again, seen.Load(), h.Nth)
	}
	if own := strings.Contains(h.Nth, "our own write"); own != (op.marker && fault.harmful && fault.landed) {
		t.Errorf("it found its own write: %v: %s", own, h.Nth)
	}
	i.Effects(1)
	if i.Marker() == nil {
		t.Error("there is no marker")
	}
}

// faultAlways: the run fails as promised, and the next one, unharmed, makes good.
func faultAlways(t *testing.T, place *matrix.Place, prefix string, o, f int) {
	i, _ := through(t, place, prefix, o, f, 0)
	op, fault := operations[o], networkFaults[f]
	there := map[bool]int{true: 1}
	switch {
	case op.failing:
		i.Run(3)
		docs := i.Documents()
		if _, got := docs["failed/5.json"]; got != fault.landed || len(docs) > 1 {
			t.Errorf("the documents: %+v", docs)
		}
		return
	case !fault.harmful:
		i.Run(0)
		i.Effects(1)
		return
	}
	h := i.Says(op.code, fault.says)
	if !hinted(h.Failure) {
		t.Errorf("the failure has no hint: %s", h.Failure)
	}
	i.Effects(op.effects)
	done := i.Marker() != nil
	if done != (op.marker && fault.landed) {
		t.Errorf("there is a marker: %v", done)
	}
	asked(i, "", o, nil)
	i.Run(0)
	i.Effects(op.effects + there[!done])
	if i.Marker() == nil {
		t.Error("there is no marker in the end")
	}
}

// hinted tells whether a failure says what can be done about it.
func hinted(failure string) bool {
	return strings.Contains(failure, " (") && strings.HasSuffix(failure, ")")
}

// TestRequests: one request before the command, and one after it.
func TestRequests(t *testing.T) {
	eachServer(t, func(t *testing.T, place *matrix.Place) {
		i := matrix.NewItem(t, place, "m")
		var mu sync.Mutex
		var got [2][]string
		f := place.Fault(t, func(n int, r *http.Request) servers.Action {
			mu.Lock()
			defer mu.Unlock()
			what := map[bool]string{true: "write", false: "read"}[writes(r)]
			if !about(r, "done") {
				what += " of something else"
			}
			after := map[bool]int{true: 1}[i.Exists("runs")]
			got[after] = append(got[after], what)
			if n == 0 {
				return place.Absent
			}
			return nil
		})
		i.Base = f.URL
		for _, want := range [][2][]string{{{"read"}, {"write"}}, {{"read"}, {"write", "read"}}} { // with those of the next start
			i.Run(0)
			mu.Lock()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the requests before the command, and those after it: %s", diff)
			}
			mu.Unlock()
		}
	})
}
