//go:build linux

package crash

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/matrix"
	"nth/testdata/servers"
)

// TestCrash kills nth at every step, every log line, every call to the file system
// and every request to a store, lets it be started again as Kubernetes would, and
// looks at what is there in the end.
func TestCrash(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			t.Parallel()
			place := matrix.Start(t, row)
			if err := place.Open(t, matrix.Inputs).Put(context.Background(), "5", []byte("{}")); err != nil {
				t.Fatal(err)
			}
			var kills, starts atomic.Int64
			t.Run("of", func(t *testing.T) {
				for _, s := range slices.Concat(scenarios, dataScenarios) {
					if len(s.on) > 0 && !slices.Contains(s.on, place.Name) {
						continue
					}
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
	items  []*matrix.Item
}

func (c *crash) next(t *testing.T) *matrix.Item {
	i := c.item(t, c.place, len(c.items))
	c.items = append(c.items, i)
	return i
}

func (c *crash) starts() (n int) {
	for _, i := range c.items {
		n += i.Starts
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
	for n, step := range c.list()[:c.steps] {
		want := beginning(step)
		if c.code != 0 || c.effects() == 0 {
			want = c.effects() // the start that was killed had none
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
	if c.effects() > 0 {
		c.whileWorking(t)
		count(1, "while the command works")
	}
	t.Logf("killed: %s", strings.Join(kills, ", "))
	return sum
}

// unharmed is the run that all others are compared with.
func (c *crash) unharmed(t *testing.T) {
	i := c.next(t)
	h := i.Run(c.code)
	if diff := cmp.Diff(c.list()[:c.steps], h.Steps); diff != "" {
		t.Fatalf("the steps: %s", diff)
	}
	c.recover(i)
	if c.data == nil {
		c.digest = i.Marker().Digest
	}
	c.final(i)
	if got := len(i.Ran()); got != c.effects() {
		t.Errorf("the effect was there %d times, want %d", got, c.effects())
	}
}

// each kills one start at its n-th place, for every n until none is reached, and
// gives their count.
func (c *crash) each(t *testing.T, start func(t *testing.T, i *matrix.Item, n int) (code int)) int {
	for n := 0; ; n++ {
		i := c.next(t)
		i.T = t
		code := start(t, i, n)
		if t.Failed() {
			t.Fatalf("at the place %d", n)
		}
		if code != matrix.Killed {
			i.Ended(code, c.code)
			return n
		}
		c.killed(i, i.Ended(code, matrix.Killed))
		if t.Failed() {
			t.Fatalf("killed at the place %d: %s", n, i.Read(fmt.Sprintf("output-%d", i.Starts)))
		}
	}
}

// atStep kills when the n-th step has been logged, and does what it does next.
func (c *crash) atStep(t *testing.T, n, effects int) {
	i := c.next(t)
	container := i.Container(c.place.Base())
	code := c.trace(t, container, n, func(call matrix.Call) bool {
		return call.Name == "write" && call.Done && slices.Contains(call.Paths, container.Output) && strings.Contains(call.Text, `"step":`)
	})
	h := i.Ended(code, matrix.Killed)
	if want := c.list()[n]; h.Step() != want {
		t.Errorf("killed at %q, not at %q", h.Step(), want)
	}
	c.killed(i, h)
	if got := len(i.Ran()); got != effects || t.Failed() {
		t.Fatalf("killed at the beginning of %q: the effect is there %d times, want %d", h.Step(), got, effects)
	}
}

// atLine kills before the n-th line of the log, or when the n-th process that nth
// has started was waited for.
func (c *crash) atLine(t *testing.T, i *matrix.Item, n int) int {
	container := i.Container(c.place.Base())
	return c.trace(t, container, n, func(call matrix.Call) bool {
		line := call.Name == "write" && !call.Done && slices.Contains(call.Paths, container.Output)
		return line || call.Name == "wait4" && call.Done && call.Result > 0
	})
}

// atFile kills before and after the n-th call about a file below the place; of an item with
// data, which makes many, or below the command's folder, before those that change something.
func (c *crash) atFile(t *testing.T, i *matrix.Item, n int) int {
	below := []string{c.place.Dir}
	if c.data != nil {
		below = append(below, filepath.Join(i.Dir, work), out(""))
	}
	return c.trace(t, i.Container(c.place.Base()), n, func(call matrix.Call) bool {
		if c.data != nil && (call.Done || slices.Contains(harmless, call.Name)) {
			return false
		}
		return slices.ContainsFunc(call.Paths, func(path string) bool {
			return slices.ContainsFunc(below, func(dir string) bool { return strings.HasPrefix(path, dir) })
		})
	})
}

// harmless are the calls that change no file.
var harmless = []string{"newfstatat", "pread64", "read", "close", "flock"}

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
func (c *crash) atRequest(last servers.Action) func(*testing.T, *matrix.Item, int) int {
	return func(t *testing.T, i *matrix.Item, n int) int {
		killer := make(chan func(), 1) // the request may come before it is known how
		proxy := c.place.Fault(t, func(k int, _ *http.Request) servers.Action {
			if k != n {
				return nil
			}
			return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
				defer func() { (<-killer)() }()
				last(f, w, r)
			}
		})
		defer proxy.Close()
		code, err := matrix.Run(i.Container(proxy.URL), func(kill func()) { killer <- kill })
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
}

// whileWorking kills while the command runs, which is then started anew.
func (c *crash) whileWorking(t *testing.T) {
	i := c.next(t)
	i.Write("hold", "")
	code, err := matrix.Run(i.Container(c.place.Base()), func(kill func()) {
		go func() {
			for !i.Exists("running") && t.Context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
			kill()
		}()
	})
	if err != nil {
		t.Fatal(err)
	}
	i.Remove("hold")
	h := i.Ended(code, matrix.Killed)
	if !h.Started || h.Ended || len(i.Ran()) > 0 {
		t.Errorf("it wasn't killed while the command was at work: %+v", h)
	}
	c.killed(i, h)
	if got := len(i.Ran()); got != 1 {
		t.Errorf("the effect was there %d times", got)
	}
}
