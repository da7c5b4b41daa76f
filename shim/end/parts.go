package end

import (
	"sync"
	"time"
)

// parts are those of a run that works at several items at the same time, as far as they say
// that they must not be ended.
type parts struct {
	mu     sync.Mutex
	n      int
	closed int       // of them
	since  time.Time // when the last one of these was opened again
}

// Part gives the ending as one of several sees it that work at the same time: the run is given
// up when none of them is closed, and one doesn't return.
func (e *Ending) Part() *Ending {
	e.parts.mu.Lock()
	defer e.parts.mu.Unlock()
	e.parts.n++
	return &Ending{messages: e.messages, whole: e}
}

func (p *parts) exist() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n > 0
}

// open tells whether none has been closed for so long.
func (p *parts) open(least time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed == 0 && (p.n == 0 || time.Since(p.since) >= least)
}

func (p *parts) close(whole *Ending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed == 0 && !whole.taken.CompareAndSwap(false, true) {
		select {} // it has been given up
	}
	p.closed++
}

func (p *parts) reopen(whole *Ending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed--; p.closed == 0 {
		p.since = time.Now()
		whole.taken.Store(false)
	}
}
