package success

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/harness"
)

var (
	seeds = flag.Int("seeds", 3000, "how many worlds the simulation makes")
	seed  = flag.Uint64("seed", 0, "make this world alone")
)

// world is a store and the runs of a Job. Time is synctest's.
type world struct {
	n      int64
	faults float64 // how likely an answer or a request is lost, or a run killed
	late   sync.WaitGroup

	mu       sync.Mutex
	rnd      *rand.Rand
	blobs    map[string]string // the body, with its version before it
	versions int
	asked    map[string]int
	writes   int // of the document
	early    string
}

const document = "the end"

func (w *world) chance(p float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.Float64() < p
}

func (w *world) upTo(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.rnd.Int64N(int64(d)))
}

var (
	errLost   = &contract.Error{Kind: contract.Unreachable, Cause: errors.New("no answer")}
	errAbsent = &contract.Error{Kind: contract.Absent, Cause: errors.New("there is none")}
	errExists = &contract.Error{Kind: contract.Exists, Cause: errors.New("the condition doesn't hold")}
)

// call is one request: it and the answer take their time, and either may be lost. What was
// sent may come to the store when who sent it is gone.
func (w *world) call(ctx context.Context, kind string, do func() error) error {
	there, back := w.upTo(200*time.Millisecond), w.upTo(200*time.Millisecond)
	if w.chance(w.faults) {
		there += w.upTo(20 * time.Second)
	}
	lostThere, lostBack := w.chance(w.faults), w.chance(w.faults)
	answer := make(chan error, 1)
	w.late.Go(func() {
		time.Sleep(there)
		if lostThere {
			return
		}
		w.mu.Lock()
		w.asked[kind]++
		err := do()
		w.mu.Unlock()
		time.Sleep(back)
		if !lostBack {
			answer <- err
		}
	})
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return errLost
	}
}

func (w *world) split(key string) (body string, token contract.Token, ok bool) {
	version, body, ok := strings.Cut(w.blobs[key], " ")
	return body, contract.Token(version), ok
}

func (w *world) set(key string, body []byte) {
	w.versions++
	w.blobs[key] = fmt.Sprintf("v%d %s", w.versions, body)
}

func (w *world) Show(key string) string { return key }

func (w *world) Read(ctx context.Context, key string) (body []byte, token contract.Token, err error) {
	type answer struct {
		body  string
		token contract.Token
	}
	got := make(chan answer, 1)
	err = w.call(ctx, "read", func() error {
		body, token, ok := w.split(key)
		if !ok {
			return errAbsent
		}
		got <- answer{body, token}
		return nil
	})
	if err == nil {
		a := <-got
		return []byte(a.body), a.token, nil
	}
	return nil, "", err
}

func (w *world) Exists(ctx context.Context, key string) (bool, error) {
	err := w.call(ctx, "exists", func() error {
		if _, _, ok := w.split(key); !ok {
			return errAbsent
		}
		return nil
	})
	if store.Classify(err) == contract.Absent && err != nil {
		return false, nil
	}
	return err == nil, err
}

func (w *world) Swap(ctx context.Context, key string, body []byte, old contract.Token) (contract.Token, error) {
	return "", w.call(ctx, "swap", func() error {
		if _, token, _ := w.split(key); token != old {
			return errExists
		}
		w.set(key, body)
		return nil
	})
}

func (w *world) Create(ctx context.Context, key string, body []byte) error {
	return w.call(ctx, "create", func() error {
		if _, _, ok := w.split(key); ok {
			return errExists
		}
		if key == document {
			w.writes++
			for i := range w.n {
				if _, _, ok := w.split(marker.Key("done", i)); !ok {
					w.early = fmt.Sprintf("index %d isn't done", i)
				}
			}
		}
		w.set(key, body)
		return nil
	})
}

// ListUnder gives pages of a few keys: what comes between two of them is in the second.
func (w *world) ListUnder(ctx context.Context, how *blob.ListOptions, visit func(*blob.ListObject) error) error {
	for after := ""; ; {
		page := make(chan []string, 1)
		err := w.call(ctx, "list", func() error {
			keys := slices.Sorted(maps.Keys(w.blobs))
			keys = slices.DeleteFunc(keys, func(k string) bool { return k <= after || !strings.HasPrefix(k, how.Prefix) })
			page <- keys[:min(len(keys), 1000)]
			return nil
		})
		if err != nil {
			return err
		}
		keys := <-page
		for _, k := range keys {
			if err := visit(&blob.ListObject{Key: k}); err != nil {
				return err
			}
			after = k
		}
		if len(keys) < 1000 {
			return nil
		}
	}
}

func (w *world) job() *Job {
	return &Job{Markers: w, At: w, Key: document, N: w.n, samples: 3, Policy: store.Policy{Window: 20 * time.Second, PerCall: 3 * time.Second}}
}

// run is one index: started again until it ends well, as a platform does it.
func (w *world) run(index int64) {
	for {
		ctx, kill := context.WithCancel(context.Background())
		if w.chance(w.faults) {
			time.AfterFunc(w.upTo(10*time.Second), kill)
		}
		err := w.try(ctx, index)
		kill()
		if err == nil {
			return
		}
		time.Sleep(w.upTo(30 * time.Second))
	}
}

// try is one run: it looks, works, writes its marker, and looks whether that was the last.
func (w *world) try(ctx context.Context, index int64) error {
	key, own := marker.Key("done", index), true
	there, err := w.job().done(ctx, index)
	if err != nil {
		return err
	}
	if own = !there; own {
		time.Sleep(w.upTo(time.Minute))
		err := store.Retry(ctx, w.job().Policy, func(ctx context.Context) error {
			return w.Create(ctx, key, []byte("{}"))
		}, nil)
		switch {
		case err != nil && store.Classify(err) == contract.Exists:
			own = false // who has lost an answer doesn't know better here
		case err != nil:
			return err
		}
	}
	_, err = w.job().After(ctx, index, own)
	return err
}

// TestWorlds: whatever gets lost and whoever is killed, the document isn't there before the
// last marker, and it is there when every run has ended well.
func TestWorlds(t *testing.T) {
	first, last := uint64(1), uint64(*seeds)
	if *seed > 0 {
		first, last = *seed, *seed
	} else if harness.Apart(t, "-seeds", fmt.Sprint(*seeds)) {
		last = min(last, harness.Raced)
	}
	for s := first; s <= last; s++ {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(s, 0))
			w := &world{rnd: rnd, blobs: map[string]string{}, asked: map[string]int{}, faults: []float64{0, 0.02, 0.1, 0.3}[s%4], n: 1 + rnd.Int64N(16)}
			var runs sync.WaitGroup
			for i := range w.n {
				runs.Go(func() { w.run(i) })
				if w.chance(w.faults) { // a platform may start an index twice
					runs.Go(func() { w.run(i) })
				}
			}
			runs.Wait()
			if w.mu.Lock(); w.early != "" || w.writes != 1 {
				t.Errorf("seed %d, %d indexes: written %d times, early: %q", s, w.n, w.writes, w.early)
			}
			w.mu.Unlock()
			w.late.Wait()
		})
		if t.Failed() {
			return
		}
	}
}

// TestCost: of 100,000 indexes, in whatever order they end, each asks for the pointer, and
// next to nothing else; all of them together list each marker at most twice.
func TestCost(t *testing.T) {
	if harness.Apart(t) {
		return
	}
	const n = 100_000
	for name, order := range map[string]func(rnd *rand.Rand) []int{
		"by chance": func(rnd *rand.Rand) []int { return rnd.Perm(n) },
		"in order, as they start": func(rnd *rand.Rand) []int {
			return jittered(rnd, func(i int) float64 { return float64(i) })
		},
		"the last ones first": func(rnd *rand.Rand) []int {
			return jittered(rnd, func(i int) float64 { return float64(-i) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &counted{done: map[string]bool{}, asked: map[string]int{}}
			j := &Job{Markers: w, At: w, Key: document, N: n}
			rnd := rand.New(rand.NewPCG(7, 0))
			for k, i := range order(rnd) {
				w.done[marker.Key("done", int64(i))] = true
				wrote, err := j.After(t.Context(), int64(i), true)
				if err != nil || wrote != (k == n-1) {
					t.Fatalf("after %d of %d: written %t, %v", k+1, n, wrote, err)
				}
			}
			pages, others := w.asked["list"], w.asked["read"]+w.asked["exists"]+w.asked["swap"]+w.asked["create"]
			t.Logf("%d pages, %d other requests: %v", pages, others, w.asked)
			if pages > 2*n/1000+25 {
				t.Errorf("%d pages are listed", pages)
			}
			if float64(others) > 1.1*n {
				t.Errorf("%d requests for %d indexes", others, n)
			}
		})
	}
}

// jittered is an order in which a thousand are under way at the same time.
func jittered(rnd *rand.Rand, at func(i int) float64) []int {
	ends := make([]float64, 100_000)
	order := make([]int, len(ends))
	for i := range ends {
		order[i], ends[i] = i, at(i)+rnd.Float64()*1000
	}
	slices.SortFunc(order, func(a, b int) int { return int(1e6 * (ends[a] - ends[b])) })
	return order
}

// counted is a store that counts what it is asked, in pages of a thousand.
type counted struct {
	done    map[string]bool
	pointer []byte
	version int
	mu      sync.Mutex
	asked   map[string]int
}

func (c *counted) count(kind string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[kind] += n
}

func (c *counted) Show(key string) string { return key }

func (c *counted) Read(context.Context, string) ([]byte, contract.Token, error) {
	c.count("read", 1)
	if c.pointer == nil {
		return nil, "", errAbsent
	}
	return c.pointer, contract.Token(fmt.Sprint(c.version)), nil
}

func (c *counted) Exists(_ context.Context, key string) (bool, error) {
	c.count("exists", 1)
	return c.done[key], nil
}

func (c *counted) Swap(_ context.Context, _ string, body []byte, _ contract.Token) (contract.Token, error) {
	c.count("swap", 1)
	c.pointer, c.version = body, c.version+1
	return "", nil
}

func (c *counted) Create(context.Context, string, []byte) error { c.count("create", 1); return nil }

func (c *counted) ListUnder(_ context.Context, how *blob.ListOptions, visit func(*blob.ListObject) error) error {
	n := 0
	for key := range c.done {
		if strings.HasPrefix(key, how.Prefix) {
			n++
			if err := visit(&blob.ListObject{Key: key}); err != nil {
				return err
			}
		}
	}
	c.count("list", max(1, (n+999)/1000))
	return nil
}
