package share

import (
	"math"
	"slices"
	"sync"
	"time"

	"nth/shim/claim"
	"nth/shim/identity"
)

// Chunk is a part of a block that is this run's, until what it has done of it is recorded.
type Chunk struct {
	Part
	Done identity.List // of the block, when it was taken: what isn't among them is to be done

	lease *claim.Lease
	gone  chan struct{} // it isn't held any more

	mu   sync.Mutex
	next int64 // no item before it is still to be begun
	quit bool  // nor any behind it
}

// hold keeps a chunk from now on.
func (w *Worker) hold(p Part, l *claim.Lease) *Chunk {
	c := &Chunk{Part: p, Done: w.done[p.Index], lease: l, gone: make(chan struct{}), next: p.Start}
	if p.Index == w.Mine.Index {
		w.tried = identity.Union(w.tried, identity.Span(p.Start, p.End))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = append(w.held, c)
	go func() {
		select {
		case <-l.Lost():
			w.lose()
		case <-c.gone:
		}
	}()
	return c
}

func (w *Worker) lose() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.lost:
	default:
		close(w.lost)
	}
}

// Left gives how many items are still to be begun.
func (c *Chunk) Left() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.quit {
		return 0
	}
	return identity.Span(c.next, c.End).Without(c.Done).Len()
}

// Take gives the next item; false: there is none.
func (c *Chunk) Take() (item int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	item = c.Done.Next(c.next)
	if c.quit || item >= c.End {
		return 0, false
	}
	c.next = item + 1
	return item, true
}

// Quit begins no more items.
func (c *Chunk) Quit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quit = true
}

// over tells whether nothing of the chunk runs, or will, when so much is settled, or has
// failed.
func (c *Chunk) over(settled, failed identity.List) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	begun := identity.Span(c.Start, c.next).Without(c.Done)
	return (c.quit || c.Done.Next(c.next) >= c.End) && begun.Without(identity.Union(settled, failed)).Len() == 0
}

// Saved says what of a block is recorded from now on, as this run knows it, and which of
// its items have failed: chunks of which nothing is left to record are held no longer. What
// failed in one is its own worker's to try again.
func (w *Worker) Saved(index int64, done, failed identity.List) {
	for _, c := range w.holding() {
		switch {
		case c.Index != index:
		case c.whole(done):
			c.drop()
			w.forget(c)
		case c.over(done, failed):
			w.giveBack(c)
			w.forget(c)
		case w.broken.dropUnsaved:
			c.drop()
			w.forget(c)
		}
	}
}

func (w *Worker) forget(c *Chunk) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = slices.DeleteFunc(w.held, func(other *Chunk) bool { return other == c })
}

// whole tells whether all of the chunk is among what is recorded.
func (c *Chunk) whole(done identity.List) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.quit && within(c.Part, done)
}

func (c *Chunk) drop() {
	close(c.gone)
	c.lease.Drop()
}

func (w *Worker) giveBack(c *Chunk) {
	close(c.gone)
	if err := c.lease.Release(); err != nil {
		w.trouble(err, 0)
	}
}

// Close gives back all that is held still. The commands have ended.
func (w *Worker) Close() {
	var all sync.WaitGroup
	for _, c := range w.holding() {
		all.Go(func() { w.giveBack(c) })
	}
	all.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = nil
}

func (w *Worker) holding() []*Chunk {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*Chunk(nil), w.held...)
}

// Lost is closed when the commands must stop, for a chunk is lost.
func (w *Worker) Lost() <-chan struct{} { return w.lost }

// Over tells whether a chunk is lost: nothing may begin any more, and that is known still when
// all are given back.
func (w *Worker) Over() bool {
	for _, c := range w.holding() {
		if c.lease.Over() {
			w.lose()
			return true
		}
	}
	select {
	case <-w.lost:
		return true
	default:
		return false
	}
}

// Grace is how long the commands may take to stop then.
func (w *Worker) Grace() time.Duration {
	grace := time.Duration(math.MaxInt64)
	for _, c := range w.holding() {
		grace = min(grace, c.lease.Grace())
	}
	return grace
}
