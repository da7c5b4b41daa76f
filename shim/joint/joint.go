// Package joint makes one call for all who need it to begin after they have asked: what a call
// brings about that began before, doesn't count for them.
package joint

import "sync"

// Call is a call of one kind. The zero value is ready.
type Call struct {
	mu    sync.Mutex
	ended sync.Cond
	next  *round // of those who wait for the call after the one that is made now
	busy  bool
}

// round is one call, for all who have asked for it.
type round struct {
	over bool
	err  error
}

// Do returns when a call has ended that began after Do was called, with its result. Calls are
// made one at a time, each by one of those who wait.
func (c *Call) Do(call func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended.L = &c.mu
	if c.next == nil {
		c.next = &round{}
	}
	for mine := c.next; ; c.ended.Wait() {
		if !c.busy && !mine.over {
			c.busy, c.next = true, nil
			c.mu.Unlock()
			err := call()
			c.mu.Lock()
			c.busy, mine.over, mine.err = false, true, err
			c.ended.Broadcast()
		}
		if mine.over {
			return mine.err
		}
	}
}

// Calls are those of one kind for several things, by name. The zero value is ready.
type Calls struct {
	mu   sync.Mutex
	used map[string]*used
}

// used is the call for a name, as long as somebody is in it: there may be any number of names.
type used struct {
	Call
	by int
}

// Do is Call's, for a name.
func (c *Calls) Do(name string, call func() error) error {
	c.mu.Lock()
	one := c.used[name]
	if one == nil {
		if c.used == nil {
			c.used = map[string]*used{}
		}
		one = &used{}
		c.used[name] = one
	}
	one.by++
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if one.by--; one.by == 0 {
			delete(c.used, name)
		}
	}()
	return one.Do(call)
}
