package claim

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/harness"
	"nth/testdata/machines"
)

var (
	seeds = flag.Int("seeds", 10_000, "how many worlds the simulation makes")
	seed  = flag.Uint64("seed", 0, "make this world alone, and tell what happens")
)

// ttl is that of the simulated claims.
const ttl = time.Minute

// stormy is how long the faults of a world last; calm, until when it must have come to an
// end after that.
const (
	stormy = 15 * ttl
	calm   = 25 * ttl
)

// world is one index, a few machines that all want to do it, and a store between them.
// Time is synctest's, so that hours take milliseconds.
type world struct {
	began time.Time
	tell  func(string, ...any)
	rules rules
	froze bool // machines may stand still for longer than the argument allows

	net machines.Network

	mu      sync.Mutex
	version int
	body    []byte                   // of the claim; nil: there is none
	taken   map[string]time.Duration // when each run's first claim came to the store
	marker  string                   // who is recorded; "": nobody
	since   time.Duration
	working map[string]bool
	wrong   []string
	takes   int
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
}

var errCondition = &contract.Error{Kind: contract.Exists, Cause: errors.New("the condition doesn't hold")}

// call is one call of the store.
func (m *machine) call(ctx context.Context, do func() error) error {
	_, err := machines.Call(ctx, &m.net, m.Machine, "", func() (struct{}, error) { return struct{}{}, do() })
	return err
}

func (m *machine) Read(ctx context.Context, _ string) (body []byte, token contract.Token, err error) {
	type result struct {
		body  []byte
		token contract.Token
	}
	got := make(chan result, 1)
	err = m.call(ctx, func() error {
		if m.body == nil {
			return &contract.Error{Kind: contract.Absent, Cause: errors.New("none")}
		}
		got <- result{m.body, contract.Token(fmt.Sprint(m.version))}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	r := <-got
	return r.body, r.token, nil
}

func (m *machine) Swap(ctx context.Context, _ string, body []byte, old contract.Token) (contract.Token, error) {
	wrote := make(chan contract.Token, 1)
	err := m.call(ctx, func() error {
		now := contract.Token("")
		if m.body != nil {
			now = contract.Token(fmt.Sprint(m.version))
		}
		if now != old {
			return errCondition
		}
		m.version++
		m.body = slices.Clone(body)
		doc, err := Decode(body, 5)
		if _, known := m.taken[doc.RunID]; !known {
			m.taken[doc.RunID] = m.at()
		}
		if err != nil {
			m.violation("%s: %v", body, err)
		}
		wrote <- contract.Token(fmt.Sprint(m.version))
		return nil
	})
	if err != nil {
		return "", err
	}
	token := <-wrote
	if m.Under("silent", 1) < 0.2 { // some stores don't tell
		token = ""
	}
	return token, nil
}

// settled asks for the marker.
func (m *machine) settled(ctx context.Context) (done bool, err error) {
	answer := make(chan bool, 1)
	err = store.Retry(ctx, m.Access(ttl), func(ctx context.Context) error {
		return m.call(ctx, func() error {
			select {
			case answer <- m.marker != "":
			default:
			}
			return nil
		})
	}, nil)
	if err == nil {
		done = <-answer
	}
	return done, err
}

// live starts run after run on this machine, until the item is recorded.
func (m *machine) live() {
	for n := 1; ; n++ {
		time.Sleep(time.Duration(m.Under("pod", float64(ttl))))
		if m.recorded() || m.at() > calm {
			return
		}
		m.run(fmt.Sprintf("%s-%d", m.Name, n))
	}
}

func (m *machine) recorded() bool {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	return m.marker != ""
}

// run is one pod: it may be killed outright at any time.
func (m *machine) run(id string) {
	life := time.Duration(1 << 62)
	if m.Likely("dies", 0.4) {
		life = time.Duration(m.Under("life", float64(4*ttl)))
	}
	ctx, kill := context.WithTimeout(context.Background(), life)
	defer kill()
	c := &Claim{Store: m, Clock: m, Mine: Document{Index: 5, RunID: id}, TTL: ttl, Access: m.Access(ttl), End: m.Access(ttl), Settled: m.settled, rules: m.world.rules}
	l, err := c.take(ctx)
	if err != nil {
		if ctx.Err() == nil { // else it was killed, and does nothing any more
			c.withdraw()
		}
		m.tell("%v %s: %v", m.at(), id, err)
		return
	}
	died := m.work(ctx, id, l)
	if died {
		l.Drop()
		return
	}
	if err := l.Release(); err != nil {
		m.tell("%v %s: release: %v", m.at(), id, err)
	}
}

// work is a command that ignores SIGTERM. It tells whether the run was killed meanwhile.
func (m *machine) work(ctx context.Context, id string, l *Lease) (died bool) {
	if l.Over() {
		return ctx.Err() != nil
	}
	m.begin(id)
	finished := time.After(time.Duration(m.Under("work", float64(3*ttl))))
	select {
	case <-ctx.Done():
		m.end(id)
		return true
	case <-finished:
		m.end(id)
	case <-l.Lost():
		m.tell("%v %s: lost", m.at(), id)
		select {
		case <-ctx.Done():
			m.end(id)
			return true
		case <-m.After(l.Grace()):
		}
		m.end(id)
		return false
	}
	err := store.Retry(ctx, m.Access(ttl), func(ctx context.Context) error {
		return m.call(ctx, func() error {
			if m.marker == "" {
				m.marker, m.since = id, m.at()
			}
			return nil
		})
	}, nil)
	m.tell("%v %s: recorded: %v", m.at(), id, err)
	return ctx.Err() != nil
}

func (m *machine) begin(id string) {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	m.tell("%v %s: begins", m.at(), id)
	m.takes++
	for other := range m.working {
		if !m.froze {
			m.violation("%s works beside %s", id, other)
		}
	}
	if m.marker != "" && m.since < m.taken[id] {
		m.violation("%s begins, and %s was recorded before it had the claim", id, m.marker)
	}
	m.working[id] = true
}

func (m *machine) end(id string) {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	m.tell("%v %s: ends", m.at(), id)
	delete(m.working, id)
}

func newMachine(w *world, seed uint64, i int) *machine {
	return &machine{w, machines.New(w.began, seed, i, ttl, stormy, w.froze)}
}

// simulate gives what went wrong in a world, and how often a command began.
func simulate(t *testing.T, n uint64, r rules, froze bool) (wrong []string, begun int) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{began: time.Now(), rules: r, froze: froze, working: map[string]bool{}, taken: map[string]time.Duration{}, tell: func(string, ...any) {}}
		w.net.World, w.net.Usual = &w.mu, 0.03
		if *seed != 0 {
			w.tell = t.Logf
		}
		var all sync.WaitGroup
		for i := range 2 + n%3 {
			m := newMachine(w, n, int(i))
			all.Go(m.live)
		}
		all.Wait()
		w.net.Late.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.marker == "" {
			w.violation("nobody has made progress")
		}
		wrong, begun = w.wrong, w.takes
	})
	return wrong, begun
}

// TestSimulation: the real code, in worlds with slow, lost and late calls, runs that are
// killed, and clocks that go differently, as far as the argument allows.
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		wrong, begun := simulate(t, *seed, sound, *seed%4 == 3)
		t.Logf("%d begun, wrong: %q", begun, wrong)
		return
	}
	begun, worlds := 0, *seeds
	if harness.Apart(t, "-seeds", fmt.Sprint(*seeds)) {
		worlds = min(worlds, harness.Raced)
	}
	for n := range uint64(worlds) {
		wrong, k := simulate(t, n+1, sound, n%4 == 2)
		begun += k
		if len(wrong) > 0 {
			t.Fatalf("-seed %d: %q", n+1, wrong)
		}
	}
	t.Logf("%d worlds, %d times a command began", worlds, begun)
	if begun < worlds {
		t.Error("the worlds are too hard to show anything")
	}
}

// TestBrokenRules: what the safety hangs on is missed as soon as it isn't so.
func TestBrokenRules(t *testing.T) {
	if harness.Apart(t) {
		return
	}
	for name, change := range map[string]func(*rules){
		"taken over after half a TTL":        func(r *rules) { r.silence = 6 },
		"killed after a TTL and a half":      func(r *rules) { r.lost, r.kill = 15, 18 },
		"counted from the answer":            func(r *rules) { r.fromReply = true },
		"taken over at sight":                func(r *rules) { r.blindTakeover = true },
		"not asked again whether it is done": func(r *rules) { r.noRecheck = true },
	} {
		t.Run(name, func(t *testing.T) {
			r := sound
			change(&r)
			for n := range uint64(1000) {
				if wrong, _ := simulate(t, n+1, r, false); len(wrong) > 0 {
					t.Logf("seed %d: %s", n+1, wrong[0])
					return
				}
			}
			t.Error("a thousand worlds don't show it")
		})
	}
}
