package status

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nth/shim/identity"
	"nth/shim/store"
)

// What the listings tell of an index, as bits: a state follows from all of them.
const (
	isDone State = 1 << iota
	isFailed
	isSkipped
	isStarted
	isClaimed
)

// scan is a look that is under way.
type scan struct {
	mu   sync.Mutex
	snap *Snapshot
	// While it is under way, the states are bits, and what isn't settled has in its
	// place when it was started. Both dates are in nanoseconds.
	claims map[int64]time.Time // by position
	skips  map[int64]time.Time // by position
	shards map[int64]struct{}
	tasks  tasks
	newest time.Time // the latest date that the store gave
}

// Scan lists what is recorded of the indexes, and reads nothing but the claims of
// those that may be running, and the markers of what may have been done since it was
// skipped. Keys that are not nth's are left alone. An error is a
// failure: a store that can't be asked is never taken for an empty one. Seen, if it isn't
// nil, counts the keys meanwhile.
func Scan(ctx context.Context, s *store.Store, of identity.List, p store.Policy, seen *atomic.Int64) (*Snapshot, error) {
	l := newLister(ctx, s, p)
	l.seen = seen
	defer l.cancel(nil)
	c := newScan(of)
	c.indexes(l, "")
	// What is failed or skipped must be known before what is done: there may be millions.
	before := l.beside()
	defer before.cancel(nil)
	before.list("failed/tasks/", listing{follows: hex, visit: c.each(c.tasks.failure)})
	before.list("skipped/tasks/", listing{follows: hex, visit: c.each(c.tasks.skip)})
	l.parts.Go(func() {
		if err := before.wait(); err != nil {
			l.cancel(err)
			return
		}
		l.requests.Add(before.requests.Load())
		l.list("done/tasks/", listing{follows: hex, visit: c.each(c.taskDone)})
	})
	if err := l.wait(); err != nil {
		return nil, err
	}
	snap, err := c.finish(l)
	if err != nil {
		return nil, err
	}
	return snap, l.hidden(snap)
}

// scanOne is Scan of a single index, by a listing of its own keys.
func scanOne(ctx context.Context, s *store.Store, index int64, p store.Policy) (*Snapshot, error) {
	l := newLister(ctx, s, p)
	defer l.cancel(nil)
	c := newScan(identity.Only(index))
	c.indexes(l, strconv.FormatInt(index, 10))
	if err := l.wait(); err != nil {
		return nil, err
	}
	return c.finish(l)
}

func newScan(of identity.List) *scan {
	n := of.Len()
	return &scan{claims: map[int64]time.Time{}, skips: map[int64]time.Time{}, shards: map[int64]struct{}{}, tasks: newTasks(),
		snap: &Snapshot{At: time.Now(), Of: of, Len: n, States: make([]State, n), Settled: make([]int64, n), Failures: map[int64]time.Time{}}}
}

// indexes begins to list the documents of all indexes, or of one only.
func (c *scan) indexes(l *lister, only string) {
	for _, d := range []struct {
		name, end string
		see       func(index int64, at time.Time)
	}{
		{"done/", ".json", c.done}, {"failed/", ".json", c.failed}, {"started/", ".json", c.started}, {"skipped/", ".json", c.skipped},
		{"claim/", ".json", c.claimed}, {"progress/", "/", c.progressed},
	} {
		prefix := d.name + only
		if only != "" && d.end != "/" {
			prefix += d.end
		}
		l.list(prefix, listing{follows: digits, delimiter: "/", visit: c.each(func(e entry) {
			if index, ok := indexOf(e.key[len(d.name):], d.end); ok {
				d.see(index, e.at)
			}
		})})
	}
}

// finish waits for the listings, and finds out what works meanwhile.
func (c *scan) finish(l *lister) (*Snapshot, error) {
	l.parts.Go(func() {
		if err := c.claimants(l); err != nil {
			l.cancel(err)
		}
	})
	if err := l.wait(); err != nil {
		return nil, err
	}
	if err := c.outcomes(l); err != nil {
		return nil, err
	}
	c.conclude()
	c.snap.Requests = int(l.requests.Load())
	return c.snap, nil
}

// each visits the entries of a page while nobody else does.
func (c *scan) each(visit func(entry)) func([]entry) {
	return func(page []entry) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, e := range page {
			if e.at.After(c.newest) {
				c.newest = e.at
			}
			visit(e)
		}
	}
}

// indexOf reads what stands behind the directory, such as 42.json.
func indexOf(rest, end string) (int64, bool) {
	number, ok := strings.CutSuffix(rest, end)
	if !ok || number == "" || number[0] == '+' || number[0] == '-' || number[0] == '0' && number != "0" {
		return 0, false
	}
	index, err := strconv.ParseInt(number, 10, 64)
	return index, err == nil
}

// mark notes a bit of an index, and gives its position.
func (c *scan) mark(index int64, bit State) (at int64, ok bool) {
	if at, ok = c.snap.Of.Position(index); ok {
		c.snap.States[at] |= bit
	}
	return at, ok
}

func (c *scan) done(index int64, date time.Time) {
	if at, ok := c.mark(index, isDone); ok {
		c.snap.Settled[at] = date.UnixNano()
	} else {
		c.snap.Others = append(c.snap.Others, index)
	}
}

func (c *scan) failed(index int64, date time.Time) {
	if _, ok := c.mark(index, isFailed); ok {
		c.snap.Failures[index] = date
	}
}

func (c *scan) started(index int64, date time.Time) {
	if at, ok := c.mark(index, isStarted); ok && c.snap.States[at]&isDone == 0 {
		c.snap.Settled[at] = date.UnixNano()
	}
}

func (c *scan) claimed(index int64, date time.Time) {
	if at, ok := c.mark(index, isClaimed); ok {
		c.claims[at] = date
	}
}

func (c *scan) skipped(index int64, date time.Time) {
	if at, ok := c.mark(index, isSkipped); ok {
		c.skips[at] = date
	}
}

// progressed is a trace of a start as well.
func (c *scan) progressed(index int64, _ time.Time) {
	if _, ok := c.mark(index, isClaimed); ok {
		c.shards[index] = struct{}{}
	}
}

// conclude makes states of bits, but for those that were found to be running.
func (c *scan) conclude() {
	s := c.snap
	for at, bits := range s.States {
		if bits == Running {
			s.Settled[at] = 0
			continue
		}
		s.States[at] = c.state(bits, s.Of.At(int64(at)), s.Settled[at])
		s.Settled[at] /= int64(time.Second)
		if s.States[at] != Done && s.States[at] != Skipped {
			s.Settled[at] = 0
		}
	}
	slices.Sort(s.Others)
	s.Shards = slices.Sorted(maps.Keys(c.shards))
	s.Tasks = c.tasks.count()
	s.FailedTasks = slices.Sorted(maps.Values(c.tasks.failed))
}

// state is what follows. A skipped entry without a marker settles nothing: its writer
// was stopped between the two. A start that is later than the failure is another try.
func (c *scan) state(bits State, index, started int64) State {
	switch {
	case bits&(isDone|isSkipped) == isDone|isSkipped:
		return Skipped
	case bits&isDone != 0:
		return Done
	case bits&isFailed != 0 && (bits&isStarted == 0 || started <= c.snap.Failures[index].UnixNano()):
		return Failed
	case bits&(isStarted|isClaimed) != 0:
		return Started
	}
	return Missing
}
