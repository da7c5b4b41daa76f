package web

import (
	"context"
	"sync"
	"time"
)

// early is how long before its end a credential is renewed: clocks differ, and a
// request that is on its way must arrive with one that holds (the AWS and Azure
// SDKs have five minutes).
const early = 5 * time.Minute

// Renewed holds a credential that is fetched when it is first needed, and again
// before it expires. It is safe for several goroutines; one of them fetches.
type Renewed[T any] struct {
	// Fetch gets one, and the time at which it ends; zero: never.
	Fetch func(context.Context) (T, time.Time, error)
	// Now is the clock; nil: time.Now.
	Now func() time.Time

	mu    sync.Mutex
	held  T
	ends  time.Time
	has   bool
	again time.Time // not before this, after a renewal that failed
}

// renewPause is how long one that still holds is used after a failed renewal.
const renewPause = 10 * time.Second

// Get gives the credential. When it can't be renewed, the old one serves to its end.
func (r *Renewed[T]) Get(ctx context.Context) (T, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	t := now()
	forever := r.ends.IsZero()
	if r.has && (forever || t.Before(r.ends.Add(-early)) || t.Before(r.again) && t.Before(r.ends)) {
		return r.held, nil
	}
	fresh, ends, err := r.Fetch(ctx)
	if err != nil {
		if r.has && t.Before(r.ends) {
			r.again = t.Add(renewPause)
			return r.held, nil
		}
		return fresh, err
	}
	r.held, r.ends, r.has = fresh, ends, true
	r.again = time.Time{}
	if life := ends.Sub(t); !ends.IsZero() && life <= early {
		r.again = t.Add(life / 2) // it was short-lived from the start
	}
	return r.held, nil
}

// Drop forgets the credential: the store says that it holds no more.
func (r *Renewed[T]) Drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.has = false
}
