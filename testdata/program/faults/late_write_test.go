//go:build linux

package faults

import (
	"net/http"
	"sync"
	"testing"

	"nth/testdata/matrix"
	"nth/testdata/servers"
)

// TestLateWrite: nth is killed when its marker is on its way, and the server takes it
// only when the next start's own is there: one of them wins, and both are success.
func TestLateWrite(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first bool // the one that was on its way wins
		says  string
	}{
		{"before the next", true, "was recorded as done by another run"},
		{"after the next", false, "is recorded as done"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, place *matrix.Place) {
				i := matrix.NewItem(t, place, "m")
				w := &lateWrite{is: writesMarker, first: tt.first, held: make(chan struct{}), done: make(chan struct{}), killed: make(chan func(), 1)}
				f := place.Fault(t, w.decide)
				code, err := matrix.Run(i.Container(f.URL), func(kill func()) { w.killed <- kill })
				if err != nil {
					t.Fatal(err)
				}
				i.Ended(code, matrix.Killed)
				if i.Marker() != nil {
					t.Error("there is a marker already")
				}
				i.Base = f.URL
				i.Says(0, tt.says)
				w.let()
				<-w.done
				i.Effects(2)
				runs, m := i.Ran(), i.Marker()
				if m == nil || (m.RunID == runs[0]) != tt.first {
					t.Errorf("the marker is %+v, of the runs %q", m, runs)
				}
				if h := i.Run(0); !h.Known {
					t.Errorf("the next start doesn't say that it is done: %s", h.Nth)
				}
			})
		})
	}
}

func writesMarker(r *http.Request) bool { return r.Method != http.MethodGet && about(r, "done") }

// lateWrite holds the first write until the second has come, or longer.
type lateWrite struct {
	is     func(*http.Request) bool
	first  bool // it goes on before the second
	held   chan struct{}
	done   chan struct{}
	killed chan func()
	once   sync.Once

	writes int
}

func (w *lateWrite) let() { w.once.Do(func() { close(w.held) }) }

func (w *lateWrite) decide(_ int, r *http.Request) servers.Action {
	if !w.is(r) {
		return nil
	}
	w.writes++
	switch w.writes {
	case 1:
		return w.hold
	case 2:
		return func(f *servers.Fault, rw http.ResponseWriter, r *http.Request) {
			if w.first {
				w.let()
				<-w.done
			}
			servers.Pass(f, rw, r)
		}
	}
	return nil
}

// hold reads the request whole, kills nth, and hands the request on when it may.
func (w *lateWrite) hold(f *servers.Fault, _ http.ResponseWriter, r *http.Request) {
	late := servers.Detached(r)
	(<-w.killed)()
	go func() {
		<-w.held
		servers.Handle(f, late)
		close(w.done)
	}()
	panic(http.ErrAbortHandler)
}
