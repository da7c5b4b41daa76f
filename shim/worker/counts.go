package worker

import (
	"sync"
	"time"
)

// counts is what a worker has come to.
type counts struct {
	began time.Time
	mu    sync.Mutex
	begun int
	totals
}

// next numbers what is begun, from 0.
func (c *counts) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun++
	return c.begun - 1
}

// totals is what its places tell.
type totals struct {
	settled int
	dead    int  // tasks that this run has put aside
	left    bool // of some that was taken the queue couldn't be told what came of it
	found   bool // the queue had a task, though it may be one that was put aside
	asked   bool // the queue has answered: what it says from now on, it says in the middle of the work
}

// of gives them as they are now.
func (c *counts) of() totals {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.totals
}

// note changes them.
func (c *counts) note(change func(*totals)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.totals)
}
