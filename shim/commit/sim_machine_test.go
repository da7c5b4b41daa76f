package commit

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/testdata/machines"
)

// machine is one of the world, with connections to its stores.
type machine struct {
	*world
	*machines.Machine

	all, markers, out, dir *store.Store
}

func newMachine(t *testing.T, w *world, seed uint64, i int) *machine {
	m := &machine{world: w, Machine: machines.New(w.began, seed, i, ttl, stormy, w.froze)}
	connected.Store(m.Name, m)
	for path, s := range map[string]**store.Store{"": &m.all, "/m": &m.markers, "/out": &m.out, "/out/dir": &m.dir} {
		var err error
		if *s, err = store.Open(context.Background(), "sim://store"+path+"/?machine="+m.Name); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// live starts run after run on this machine, until the item is recorded.
func (m *machine) live() {
	for n := 1; ; n++ {
		time.Sleep(time.Duration(m.Under("pod", float64(ttl))))
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
		m.run(fmt.Sprintf("%s-%d", m.Name, n))
		m.world.mu.Lock()
		m.alive--
		m.world.mu.Unlock()
	}
}

// run is one pod: it may be killed outright at any time.
func (m *machine) run(id string) {
	life := time.Duration(1 << 62)
	if m.Likely("dies", 0.4) {
		life = time.Duration(m.Under("life", float64(4*ttl)))
	}
	ctx, kill := context.WithTimeout(context.Background(), life)
	defer kill()
	told := m.Access(ttl / 2)
	told.Window = ttl
	onChange := m.onChange
	if onChange == "" {
		onChange = marker.OnChangeFail
	}
	p := &pod{machine: m, it: Item{
		Book:   &marker.Book{Store: m.markers, OnChange: onChange, Wait: m.Access(ttl / 2), Write: m.Access(ttl / 2), Told: told},
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
		err := store.Retry(ctx, p.Access(ttl/2), func(ctx context.Context) error { return to.Put(ctx, s.Key(n, key), []byte(id)) }, nil)
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
