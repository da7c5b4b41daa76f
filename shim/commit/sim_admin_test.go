package commit

import (
	"context"
	"time"

	"nth/shim/store"
)

// admin is a person who changes what is recorded.
type admin func(*machine)

func (m *machine) delete(keys ...string) {
	for _, key := range keys {
		for m.forget(key) != nil {
			time.Sleep(ttl / 10)
		}
	}
}

func (m *machine) forget(key string) error {
	return store.Retry(context.Background(), m.Access(ttl/2), func(ctx context.Context) error { return m.all.Remove(ctx, key) }, nil)
}

// The two orders of a reset.
var (
	commitFirst = []string{commitKey, markerKey}
	markerFirst = []string{markerKey, commitKey}
)

// quiet is an admin who waits until nothing is at work any more, and resets in this order,
// or deletes the marker alone by hand, or that and the outputs.
func quiet(order []string) admin {
	return func(m *machine) {
		for range 2 {
			time.Sleep(time.Duration(m.Under("admin", float64(6*ttl))))
			m.stand()
			m.world.mu.Lock()
			m.count.resets++
			m.world.mu.Unlock()
			switch keys := order; int(m.Under("which", 4)) {
			case 0:
				m.delete(markerKey)
			case 1:
				m.delete(append([]string{markerKey}, targets...)...)
			default:
				m.delete(keys...)
			}
			m.stand()
			m.world.mu.Lock()
			m.hold = false
			m.world.mu.Unlock()
		}
		m.world.mu.Lock()
		m.ready = true
		m.world.mu.Unlock()
	}
}

// stand has nothing new begun, and waits until nothing is at work, and under way.
func (m *machine) stand() {
	for quiet := false; !quiet; time.Sleep(ttl / 10) {
		m.world.mu.Lock()
		m.hold = true
		quiet = m.alive == 0 && m.pending == 0
		m.world.mu.Unlock()
	}
}

// wild is an admin who resets in this order whatever is at work.
func wild(order []string) admin {
	return func(m *machine) {
		for range 2 {
			time.Sleep(time.Duration(m.Under("admin", float64(6*ttl))))
			m.world.mu.Lock()
			m.count.resets++
			m.world.mu.Unlock()
			for _, key := range order {
				m.delete(key)
				time.Sleep(time.Duration(m.Under("between", float64(ttl))))
			}
		}
		m.world.mu.Lock()
		m.ready = true
		m.world.mu.Unlock()
	}
}
