// Package machines is what worlds are made of in which several machines run the real code:
// time is synctest's, so that hours take milliseconds, and chance is a seed's.
package machines

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"nth/shim/store"
)

// Machine is a clock that goes at its own rate, and times at which it stands still or reaches
// nobody.
type Machine struct {
	Name   string
	Began  time.Time     // when the world did
	TTL    time.Duration // of its leases, by which its times are measured
	Stormy time.Duration // how long there are faults
	Froze  bool          // it may stand still for longer than a lease allows

	seed   uint64
	rate   float64 // of its clock
	offset time.Duration
	outage []time.Duration // begins and ends of times in which it reaches nobody
}

// New makes the i-th machine of a world.
func New(began time.Time, seed uint64, i int, ttl, stormy time.Duration, froze bool) *Machine {
	chance := rand.New(rand.NewPCG(seed, uint64(i)))
	m := &Machine{Name: string(rune('a' + i)), Began: began, TTL: ttl, Stormy: stormy, Froze: froze,
		seed: seed, rate: 0.953 + 0.094*chance.Float64(), offset: time.Duration(chance.Int64N(1e15))}
	for at := time.Duration(0); at < stormy; {
		at += time.Duration(chance.Int64N(int64(6 * ttl)))
		m.outage = append(m.outage, at)
		at += time.Duration(chance.Int64N(int64(2 * ttl)))
		m.outage = append(m.outage, at)
	}
	return m
}

// True is a machine on which nothing goes wrong.
func True(ttl time.Duration) *Machine { return &Machine{Began: time.Now(), TTL: ttl, rate: 1} }

// At is the world's time.
func (m *Machine) At() time.Duration { return time.Since(m.Began) }

// Under gives a number from 0 to n by chance: the same one for the same purpose at the same
// time, so that a world doesn't depend on which goroutine asks first.
func (m *Machine) Under(purpose string, n float64) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(purpose + m.Name))
	return rand.New(rand.NewPCG(m.seed^h.Sum64(), uint64(m.At()))).Float64() * n
}

// Likely tells by chance, as long as there are faults.
func (m *Machine) Likely(purpose string, p float64) bool {
	return m.At() < m.Stormy && m.Under(purpose, 1) < p
}

// CutOff tells whether nothing reaches the store, and nothing comes back.
func (m *Machine) CutOff() bool {
	i, _ := slices.BinarySearch(m.outage, m.At())
	return i%2 == 1
}

// Now is the machine's own.
func (m *Machine) Now() time.Duration {
	return m.offset + time.Duration(float64(m.At())*m.rate)
}

// After is late by as much as a scheduler may be, or, where machines freeze, by more.
func (m *Machine) After(d time.Duration) <-chan time.Time {
	late := time.Duration(m.Under("late", float64(m.TTL/100)))
	if m.Froze && m.Likely("freeze", 0.02) {
		late = time.Duration(m.Under("frozen", float64(3*m.TTL)))
	}
	return time.After(time.Duration(float64(d)/m.rate) + late)
}

// Access waits between tries as this machine does, and not by chance.
func (m *Machine) Access(perCall time.Duration) store.Policy {
	return store.Policy{Window: 5 * m.TTL, PerCall: perCall, Sleep: func(ctx context.Context, _ time.Duration) error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-m.After(time.Duration(m.Under("again", float64(m.TTL/10)))):
			return nil
		}
	}}
}
