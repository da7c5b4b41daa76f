package store

import (
	"context"
	"sync"
	"time"
)

// Pace does many things at a time, as many as a server takes: it begins with a few, and
// has twice as many under way as long as that brings a tenth more in the same time. When
// the server says that it is too much, by whatever makes a further try necessary, they
// are half as many.
type Pace struct {
	Most int              // at a time
	now  func() time.Time // of tests; nil: the clock

	mu          sync.Mutex
	free        *sync.Cond
	limit, busy int
	ended       int       // since the last judgement
	since       time.Time // when that was
	slowed      bool      // since then
	rate        float64   // what it was with the limit before; 0: this one isn't on trial
	rest        int       // judgements before the next trial
}

// A judgement is made when each hand has done a few things, and they took a moment.
const (
	judged = 4
	moment = 50 * time.Millisecond
	rests  = 8 // judgements between two trials that brought nothing
)

// NewPace begins with so many at a time.
func NewPace(first, most int) *Pace {
	p := &Pace{Most: most, limit: min(first, most), now: time.Now}
	p.free = sync.NewCond(&p.mu)
	return p
}

// Each is the package's Each in this pace.
func (p *Pace) Each(ctx context.Context, n int, do func(ctx context.Context, k int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.free.Broadcast()
	})()
	p.begin()
	var group sync.WaitGroup
	for k := 0; k < n && p.take(ctx); k++ {
		group.Go(func() {
			defer p.give()
			if err := do(ctx, k); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// Slow says that something must be tried again: Retry's notify.
func (p *Pace) Slow(error, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slowed = true
}

func (p *Pace) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.since = 0, p.now()
}

// take waits until one more may be under way; it is false where none may any longer.
func (p *Pace) take(ctx context.Context) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.busy >= p.limit && ctx.Err() == nil {
		p.free.Wait()
	}
	if ctx.Err() != nil {
		return false
	}
	p.busy++
	return true
}

func (p *Pace) give() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	p.ended++
	if took := p.now().Sub(p.since); p.ended >= judged*p.limit && took >= moment {
		p.judge(float64(p.ended) / took.Seconds())
		p.ended, p.since, p.slowed = 0, p.now(), false
	}
	p.free.Broadcast()
}

// judge decides how many are under way from here on.
func (p *Pace) judge(rate float64) {
	switch {
	case p.slowed:
		p.limit, p.rate, p.rest = max(1, p.limit/2), 0, rests
	case p.rate > 0 && rate < 1.1*p.rate: // the trial has brought nothing
		p.limit, p.rate, p.rest = p.limit/2, 0, rests
	case p.rest > 0:
		p.rest--
	case 2*p.limit <= p.Most:
		p.limit, p.rate = 2*p.limit, rate
	default:
		p.rate = 0
	}
}
