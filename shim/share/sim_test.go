package share

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nth/shim/claim"
	"nth/shim/identity"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/harness"
	"nth/testdata/machines"
)

var (
	seeds = flag.Int("seeds", harness.Soak(2000, 10_000), "how many worlds the simulation makes")
	seed  = flag.Uint64("seed", 0, "make this world alone, and tell what happens")
)

// ttl is that of the simulated claims.
const ttl = time.Minute

// stormy is how long the faults of a world last; calm, until when it must have come to an
// end.
const (
	stormy = 15 * ttl
	calm   = 60 * ttl
)

// world is a few items in blocks, machines that work at them, and a store between them.
// Time is synctest's, so that hours take milliseconds.
type world struct {
	Space
	began  time.Time
	tell   func(string, ...any)
	broken rules
	froze  bool    // machines may stand still for longer than the argument allows
	frail  float64 // how many items fail

	net machines.Network

	mu       sync.Mutex
	version  int
	objects  map[string]object
	taken    map[string]time.Duration // when each run's first claim of a chunk came to the store
	recorded map[int64]time.Duration  // when each item was
	ended    map[int64]bool           // well
	progress map[int64]map[string]identity.List
	markers  map[int64]string
	working  map[int64]string
	wrong    []string
	begun    int
	helped   int
}

type object struct {
	body    []byte
	version int
}

func (w *world) at() time.Duration { return time.Since(w.began) }

func (w *world) violation(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf("%v: ", w.at())+fmt.Sprintf(format, args...))
	w.tell("%s", w.wrong[len(w.wrong)-1])
}

// machine is one of the world, with a connection to its store.
type machine struct {
	*world
	*machines.Machine
	index int64
}

var (
	errCondition = &contract.Error{Kind: contract.Exists, Cause: errors.New("the condition doesn't hold")}
	errNone      = &contract.Error{Kind: contract.Absent, Cause: errors.New("none")}
)

// call is one call of the store.
func call[T any](ctx context.Context, m *machine, what string, do func() (T, error)) (T, error) {
	return machines.Call(ctx, &m.net, m.Machine, what, do)
}

func (m *machine) Read(ctx context.Context, key string) ([]byte, contract.Token, error) {
	o, err := call(ctx, m, key, func() (object, error) {
		o, ok := m.objects[key]
		if !ok {
			return o, errNone
		}
		return o, nil
	})
	return o.body, contract.Token(fmt.Sprint(o.version)), err
}

func (m *machine) Swap(ctx context.Context, key string, body []byte, old contract.Token) (contract.Token, error) {
	return call(ctx, m, key, func() (contract.Token, error) {
		now := contract.Token("")
		if o, ok := m.objects[key]; ok {
			now = contract.Token(fmt.Sprint(o.version))
		}
		if now != old {
			return "", errCondition
		}
		m.version++
		m.objects[key] = object{slices.Clone(body), m.version}
		run := strings.SplitAfter(strings.SplitAfter(string(body), `"run_id": "`)[1], `"`)[0]
		if _, known := m.taken[key+run]; !known {
			m.taken[key+run] = m.at()
		}
		return contract.Token(fmt.Sprint(m.version)), nil
	})
}

func (m *machine) List(ctx context.Context, prefix string, visit func(string, int64, time.Time) error) error {
	keys, err := call(ctx, m, prefix, func() (list []string, _ error) {
		for key := range m.objects {
			if strings.HasPrefix(key, prefix) {
				list = append(list, key)
			}
		}
		return list, nil
	})
	slices.Sort(keys)
	for _, key := range keys {
		_ = visit(key, 0, time.Time{})
	}
	return err
}

// asked tries as the record does.
func asked[T any](ctx context.Context, m *machine, what string, do func() (T, error)) (of T, err error) {
	err = store.Retry(ctx, m.Access(ttl), func(ctx context.Context) (err error) {
		of, err = call(ctx, m, what, do)
		return err
	}, nil)
	return of, err
}

func (m *machine) recordedOf(ctx context.Context, index int64) (identity.List, error) {
	return asked(ctx, m, fmt.Sprint("progress", index), func() (all identity.List, _ error) {
		for _, l := range m.progress[index] {
			all = identity.Union(all, l)
		}
		return all, nil
	})
}

// live starts run after run on this machine, until its block is recorded as done.
func (m *machine) live() {
	for n := 1; ; n++ {
		time.Sleep(time.Duration(m.Under("pod", float64(ttl))))
		m.world.mu.Lock()
		_, over := m.markers[m.index]
		m.world.mu.Unlock()
		if over || m.at() > calm {
			return
		}
		(&run{machine: m, id: fmt.Sprintf("%s-%d", m.Name, n)}).live()
	}
}

// run is one pod: it may be killed outright at any time.
type run struct {
	*machine
	id   string
	w    *Worker
	kick chan struct{}

	mu           sync.Mutex
	done, failed map[int64]identity.List // by block
}

func (r *run) live() {
	life := calm
	if r.Likely("dies", 0.4) {
		life = time.Duration(r.Under("life", float64(6*ttl)))
	}
	ctx, kill := context.WithTimeout(context.Background(), life)
	defer kill()
	before, err := r.recordedOf(ctx, r.index)
	if err != nil {
		return
	}
	r.kick, r.done, r.failed = make(chan struct{}, 1), map[int64]identity.List{r.index: before}, map[int64]identity.List{}
	r.w = &Worker{Space: r.Space, Store: r.machine, Clock: r, Mine: claim.Document{Index: r.index, RunID: r.id}, Digest: "d", TTL: ttl,
		Access: r.Access(ttl), End: r.Access(ttl), Settled: r.settled, Recorded: r.recordedOf, broken: r.broken,
		Waiting: func() {
			select {
			case r.kick <- struct{}{}:
			default:
			}
		}}
	r.w.Begin(before)
	ended, saves := make(chan struct{}), sync.WaitGroup{}
	saves.Go(func() { r.follow(ctx, ended) })
	well := r.work(ctx)
	close(ended)
	saves.Wait()
	if ctx.Err() != nil { // it was killed, and does nothing any more
		for _, c := range r.w.holding() {
			c.drop()
		}
		return
	}
	r.save(ctx)
	r.w.Close()
	if well && r.own() {
		r.mark(ctx)
	}
}

// own tells whether all of the own block is known to be settled.
func (r *run) own() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken.leaveEarly || within(r.Block(r.index), identity.Union(r.done[r.index], r.w.done[r.index]))
}

func (r *run) settled(ctx context.Context) (identity.List, error) {
	return asked(ctx, r.machine, "done", func() (l identity.List, _ error) {
		for _, i := range slices.Sorted(maps.Keys(r.markers)) {
			l = identity.Union(l, identity.Only(i))
		}
		return l, nil
	})
}

// follow records now and then what is done.
func (r *run) follow(ctx context.Context, ended chan struct{}) {
	for {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			return
		case <-r.kick:
		case <-r.After(ttl / 12):
		}
		r.save(ctx)
	}
}

func (r *run) save(ctx context.Context) {
	r.mu.Lock()
	done, failed := maps.Clone(r.done), maps.Clone(r.failed)
	r.mu.Unlock()
	for _, index := range slices.Sorted(maps.Keys(done)) {
		l := done[index]
		_, err := asked(ctx, r.machine, "save", func() (int, error) {
			if r.progress[index] == nil {
				r.progress[index] = map[string]identity.List{}
			}
			r.progress[index][r.id] = identity.Union(l, r.progress[index][r.id])
			for k := range l.Len() {
				if _, known := r.recorded[l.At(k)]; !known {
					r.recorded[l.At(k)] = r.at()
				}
			}
			return 0, nil
		})
		if err == nil && ctx.Err() == nil {
			r.w.Saved(index, l, failed[index])
		}
	}
}

// work is what the loop of a shard does. It tells whether nothing has failed.
func (r *run) work(ctx context.Context) bool {
	for {
		c, err := r.w.Next(ctx, true)
		if c == nil {
			r.tell("%v %s: no more: %v", r.at(), r.id, err)
			return err == nil
		}
		r.tell("%v %s: has %v", r.at(), r.id, c.Part)
		for {
			item, ok := c.Take()
			if !ok {
				break
			}
			if r.w.Over() || !r.item(ctx, c, item) {
				return false
			}
		}
	}
}

// item runs a command that ignores SIGTERM. It tells whether the run goes on.
func (r *run) item(ctx context.Context, c *Chunk, item int64) bool {
	r.begin(c, item)
	defer r.end(item)
	most := float64(ttl)
	if r.Likely("long", 0.1) {
		most *= 3
	}
	finished := time.After(time.Duration(r.Under("work", most)))
	select {
	case <-ctx.Done():
		return false
	case <-r.w.Lost():
		select {
		case <-ctx.Done():
		case <-r.After(r.w.Grace()):
		}
		return false
	case <-finished:
	}
	well := !r.Likely("fails", r.frail)
	r.note(item, well)
	r.mu.Lock()
	defer r.mu.Unlock()
	if well {
		r.done[c.Index] = identity.Union(r.done[c.Index], identity.Only(item))
		return true
	}
	r.done[c.Index] = identity.Union(r.done[c.Index], identity.List{})
	r.failed[c.Index] = identity.Union(r.failed[c.Index], identity.Only(item))
	if c.Index == r.index {
		return false
	}
	r.w.Alone()
	c.Quit()
	return true
}

func (r *run) begin(c *Chunk, item int64) {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	r.tell("%v %s: begins %d", r.at(), r.id, item)
	r.begun++
	if c.Index != r.index {
		r.helped++
	}
	if other, busy := r.working[item]; busy && !r.froze {
		r.violation("%s works at %d beside %s", r.id, item, other)
	}
	had := r.taken[fmt.Sprintf("share/%d/%s.json", c.Index, c.chunk("d"))+r.id+`"`]
	if since, known := r.recorded[item]; known && since < had {
		r.violation("%s begins %d, which was recorded before it had the claim", r.id, item)
	}
	r.working[item] = r.id
}

func (r *run) note(item int64, well bool) {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	if well {
		r.world.ended[item] = true
	}
}

func (r *run) end(item int64) {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	if r.working[item] == r.id {
		delete(r.working, item)
	}
}

// mark records that the block is done.
func (r *run) mark(ctx context.Context) {
	_, err := asked(ctx, r.machine, "mark", func() (int, error) {
		if _, there := r.markers[r.index]; !there {
			r.markers[r.index] = r.id
			for b := r.Block(r.index); b.Start < b.End; b.Start++ {
				if !r.ended[b.Start] {
					r.violation("%s says that all is done, and %d isn't", r.id, b.Start)
				}
			}
		}
		return 0, nil
	})
	r.tell("%v %s: recorded: %v", r.at(), r.id, err)
}

// simulate gives what went wrong in a world, and how often an item began, for another too.
func simulate(t *testing.T, n uint64, broken rules, froze bool) (wrong []string, begun, helped int) {
	synctest.Test(t, func(t *testing.T) {
		workers := int64(2 + n%3)
		w := &world{Space: Space{8 + int64(n%23), workers}, began: time.Now(), broken: broken, froze: froze, frail: 0.03 + 0.3*float64(n%5/4), tell: func(string, ...any) {},
			objects: map[string]object{}, taken: map[string]time.Duration{}, recorded: map[int64]time.Duration{}, ended: map[int64]bool{},
			progress: map[int64]map[string]identity.List{}, markers: map[int64]string{}, working: map[int64]string{}}
		w.net.World, w.net.Usual = &w.mu, 0.02
		if *seed != 0 {
			w.tell = t.Logf
		}
		var all sync.WaitGroup
		for i := range workers + int64(n%2) { // two pods of one index now and then
			m := &machine{w, machines.New(w.began, n, int(i), ttl, stormy, froze), i % workers}
			all.Go(m.live)
		}
		all.Wait()
		w.net.Late.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.markers) < int(workers) {
			w.violation("of %d blocks only %d are done", workers, len(w.markers))
		}
		wrong, begun, helped = w.wrong, w.begun, w.helped
	})
	return wrong, begun, helped
}

// TestSimulation: the real code, in worlds with slow, lost and late calls, runs that are
// killed, items that fail, two runs of one index, and clocks that go differently, as far as
// the argument allows.
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		wrong, begun, helped := simulate(t, *seed, rules{}, *seed%4 == 3)
		t.Logf("%d begun, %d for others, wrong: %q", begun, helped, wrong)
		return
	}
	begun, helped, worlds := 0, 0, *seeds
	if harness.Apart(t, "-seeds", fmt.Sprint(*seeds)) {
		worlds = min(worlds, harness.Raced)
	}
	for n := range uint64(worlds) {
		wrong, k, h := simulate(t, n+1, rules{}, n%4 == 2)
		begun, helped = begun+k, helped+h
		if len(wrong) > 0 {
			t.Fatalf("-seed %d: %q", n+1, wrong)
		}
	}
	t.Logf("%d worlds, %d items began, %d of them for others", worlds, begun, helped)
	if helped < worlds {
		t.Error("the worlds are too hard to show anything")
	}
}

// TestBrokenRules: what the argument hangs on is missed as soon as it isn't so.
func TestBrokenRules(t *testing.T) {
	if harness.Apart(t) {
		return
	}
	for name, broken := range map[string]rules{
		"not asked again what is recorded":        {noRecheck: true},
		"given up before it is recorded":          {dropUnsaved: true},
		"nothing is taken over":                   {noTakeOver: true},
		"left while others work at the own block": {leaveEarly: true},
	} {
		t.Run(name, func(t *testing.T) {
			for n := range uint64(1000) {
				if wrong, _, _ := simulate(t, n+1, broken, false); len(wrong) > 0 {
					t.Logf("seed %d: %s", n+1, wrong[0])
					return
				}
			}
			t.Error("a thousand worlds don't show it")
		})
	}
}
