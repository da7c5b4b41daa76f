package commit

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"nth/shim/marker"
	"nth/shim/store"
)

// machine is a clock that goes at its own rate, a connection to the store, and times at
// which it stands still.
type machine struct {
	*world
	name   string
	seed   uint64
	rate   float64 // of its clock
	offset time.Duration
	outage []time.Duration // begins and ends of times in which it reaches nobody

	all, markers, out, dir *store.Store
}

func newMachine(t *testing.T, w *world, seed uint64, i int) *machine {
	chance := rand.New(rand.NewPCG(seed, uint64(i)))
	m := &machine{world: w, name: string(rune('a' + i)), seed: seed, rate: 0.953 + 0.094*chance.Float64(), offset: time.Duration(chance.Int64N(1e15))}
	for at := time.Duration(0); at < stormy; {
		at += time.Duration(chance.Int64N(int64(6 * ttl)))
		m.outage = append(m.outage, at)
		at += time.Duration(chance.Int64N(int64(2 * ttl)))
		m.outage = append(m.outage, at)
	}
	connected.Store(m.name, m)
	for path, s := range map[string]**store.Store{"": &m.all, "/m": &m.markers, "/out": &m.out, "/out/dir": &m.dir} {
		var err error
		if *s, err = store.Open(context.Background(), "sim://store"+path+"/?machine="+m.name); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// under gives a number from 0 to n by chance: the same one for the same purpose at the same
// time, so that a world doesn't depend on which goroutine asks first.
func (m *machine) under(purpose string, n float64) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(purpose + m.name))
	return rand.New(rand.NewPCG(m.seed^h.Sum64(), uint64(m.at()))).Float64() * n
}

func (m *machine) likely(purpose string, p float64) bool {
	return m.at() < stormy && m.under(purpose, 1) < p
}

// cutOff tells whether nothing reaches the store, and nothing comes back.
func (m *machine) cutOff() bool {
	i, _ := slices.BinarySearch(m.outage, m.at())
	return i%2 == 1
}

// Now is the machine's own.
func (m *machine) Now() time.Duration {
	return m.offset + time.Duration(float64(m.at())*m.rate)
}

// After is late by as much as a scheduler may be, or, where machines freeze, by more.
func (m *machine) After(d time.Duration) <-chan time.Time {
	late := time.Duration(m.under("late", float64(ttl/100)))
	if m.froze && m.likely("freeze", 0.02) {
		late = time.Duration(m.under("frozen", float64(3*ttl)))
	}
	return time.After(time.Duration(float64(d)/m.rate) + late)
}

// access waits between tries as this machine does, and not by chance.
func (m *machine) access() store.Policy {
	return store.Policy{Window: 5 * ttl, PerCall: ttl / 2, Sleep: func(ctx context.Context, _ time.Duration) error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-m.After(time.Duration(m.under("again", float64(ttl/10)))):
			return nil
		}
	}}
}

// live starts run after run on this machine, until the item is recorded.
func (m *machine) live() {
	for n := 1; ; n++ {
		time.Sleep(time.Duration(m.under("pod", float64(ttl))))
		if m.recorded() || m.at() > calm {
			return
		}
		m.world.mu.Lock()
		held := m.hold
		if !held {
			m.alive++
		}
		m.world.mu.Unlock()
		if held {
			continue
		}
		m.run(fmt.Sprintf("%s-%d", m.name, n))
		m.world.mu.Lock()
		m.alive--
		m.world.mu.Unlock()
	}
}

// run is one pod: it may be killed outright at any time.
func (m *machine) run(id string) {
	life := time.Duration(1 << 62)
	if m.likely("dies", 0.4) {
		life = time.Duration(m.under("life", float64(4*ttl)))
	}
	ctx, kill := context.WithTimeout(context.Background(), life)
	defer kill()
	told := m.access()
	told.Window = ttl
	onChange := m.onChange
	if onChange == "" {
		onChange = marker.OnChangeFail
	}
	p := &pod{machine: m, it: Item{
		Book:   &marker.Book{Store: m.markers, OnChange: onChange, Wait: m.access(), Write: m.access(), Told: told},
		Header: marker.Header{Version: 1, Index: index, RunID: id, Digest: m.digest()},
		Outputs: []Output{{Store: m.out, Name: "five.txt", URL: "sim://store/out/"},
			{Store: m.dir, URL: "sim://store/out/dir/"}},
		rules: m.world.rules}}
	err := p.way(ctx)
	m.tell("%v %s: %v", m.at(), id, err)
}

// pod is one run's way, as shim/once has it.
type pod struct {
	*machine
	it   Item
	over *marker.Entry // of another command
	free Vacancy
}

var errSettled = errors.New("settled")

func (p *pod) way(ctx context.Context) error {
	if err := p.look(ctx); err != nil {
		return err
	}
	if p.claimed {
		l, err := p.take(ctx)
		if err != nil {
			return err
		}
		defer l.Release()
		if l.TookOver() {
			p.met(func(c *count) { c.takeovers++ })
			if err := p.look(ctx); err != nil {
				return err
			}
		}
		if err := p.work(ctx, l); err != nil {
			return err
		}
		return p.publish(ctx)
	}
	if err := p.work(ctx, nil); err != nil {
		return err
	}
	return p.publish(ctx)
}

// look asks for the marker, and for a commit.
func (p *pod) look(ctx context.Context) error {
	p.over = nil
	e, err := p.it.Book.Look(ctx, p.it.Header)
	switch {
	case err != nil:
		return err
	case e == nil:
	case e.Agrees(p.it.Header.Digest), p.it.Book.OnChange == marker.OnChangeSkip:
		return errSettled
	case p.it.Book.OnChange == marker.OnChangeFail:
		return p.it.Book.Changed(e, p.it.Header)
	default:
		p.over = e
	}
	c, free, err := p.it.Look(ctx)
	p.free = free
	if err != nil || c == nil {
		return err
	}
	s, free, err := c.RollForward(ctx, p.over)
	switch {
	case err != nil:
		return err
	case s == nil:
		p.met(func(c *count) { c.stale++ })
		p.free = free
		return nil
	}
	p.met(func(c *count) { c.forwarded++ })
	_ = s.Clean(ctx)
	return errSettled
}

func (p *pod) met(add func(*count)) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	add(&p.count)
}

// publish is what comes after a command that has succeeded.
func (p *pod) publish(ctx context.Context) error {
	id := p.it.Header.RunID
	s, err := p.it.Stage(ctx)
	if err != nil {
		return err
	}
	var objects []Object
	for n, key := range []string{"", "sub/x"} {
		to := p.it.Outputs[n].Store
		err := store.Retry(ctx, p.access(), func(ctx context.Context) error { return to.Put(ctx, s.Key(n, key), []byte(id)) }, nil)
		if err != nil {
			if ctx.Err() == nil {
				_ = s.Drop(ctx)
			}
			return err
		}
		objects = append(objects, Object{Output: n, Key: key, Size: int64(len(id)), Checksum: "crc32c:0"})
	}
	m := marker.Marker{Header: p.it.Header, Source: marker.SourceRun, Outcome: marker.Done}
	done, err := s.Publish(ctx, p.free, m, objects, p.over)
	if err != nil {
		if ctx.Err() == nil {
			_ = s.Drop(ctx)
		}
		return err
	}
	if done.Marker().RunID != id {
		p.met(func(c *count) { c.lost++ })
	}
	_ = done.Clean(ctx)
	return errSettled
}
