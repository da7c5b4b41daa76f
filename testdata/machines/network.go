package machines

import (
	"context"
	"errors"
	"sync"
	"time"

	"nth/shim/store/contract"
)

// Network is what lies between the machines of a world and its store.
type Network struct {
	World sync.Locker    // is held while the store does something
	Usual float64        // how long a request and an answer take at most, of a TTL
	Late  sync.WaitGroup // requests under way
}

// errLost is what a caller is told who gets no answer.
var errLost = &contract.Error{Kind: contract.Unreachable, Cause: errors.New("no answer")}

// Call is one call of the store by a machine: the request and the answer take their time, and
// either may be lost. What was sent may come to the store when the caller has given up. What
// is for chance to tell one call from another by.
func Call[T any](ctx context.Context, n *Network, m *Machine, what string, do func() (T, error)) (T, error) {
	there, back := m.Under("there"+what, n.Usual), m.Under("back"+what, n.Usual)
	if m.Likely("slow there"+what, 0.1) {
		there = m.Under("there"+what, 0.7)
	}
	if m.Likely("slow back"+what, 0.1) {
		back = m.Under("back"+what, 0.95)
	}
	lostThere, lostBack := m.CutOff() || m.Likely("lost there"+what, 0.08), m.Likely("lost back"+what, 0.08)
	type answer struct {
		of  T
		err error
	}
	got := make(chan answer, 1)
	n.Late.Go(func() {
		time.Sleep(time.Duration(there * float64(m.TTL)))
		if lostThere {
			return
		}
		n.World.Lock()
		of, err := do()
		n.World.Unlock()
		time.Sleep(time.Duration(back * float64(m.TTL)))
		if !lostBack && !m.CutOff() {
			got <- answer{of, err}
		}
	})
	select {
	case a := <-got:
		return a.of, a.err
	case <-ctx.Done():
		var none T
		return none, errLost
	}
}
