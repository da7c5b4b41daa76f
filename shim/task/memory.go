package task

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// Memory is what the sources of one worker have in common, of which each holds another task:
// what they keep in mind of tasks whose server can't tell, and their connections. The zero
// value is empty.
type Memory struct {
	Given  Given
	Untold Untold

	mu    sync.Mutex
	most  int // connections
	links any // that the first source has made
}

// NewMemory gives that of a worker with so many connections at most.
func NewMemory(connections int) *Memory { return &Memory{most: connections} }

// Remember gives the memory that a source was told to have, or one of its own.
func (o *Options) Remember() *Memory {
	if o.Memory == nil {
		return &Memory{}
	}
	return o.Memory
}

// Pool is the connections of a worker's sources: each call has one to itself, the one that
// was in use last of those that aren't. So none is opened that isn't needed.
type Pool[T any] struct {
	may  chan struct{} // has a word for each that is in use
	mu   sync.Mutex
	free []T
}

// With does something with one of them, unless the context ends before one is free.
func (p *Pool[T]) With(ctx context.Context, do func(T)) error {
	select {
	case p.may <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.mu.Lock()
	last := len(p.free) - 1
	c := p.free[last]
	p.free = p.free[:last]
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.free = append(p.free, c)
		p.mu.Unlock()
		<-p.may
	}()
	do(c)
	return nil
}

// Each does something with all that nobody uses.
func (p *Pool[T]) Each(do func(T)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.free {
		do(c)
	}
}

// PoolOf gives that of all sources with this memory; each connection is made by one call.
func PoolOf[T any](m *Memory, connection func() T) *Pool[T] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, ok := m.links.(*Pool[T]); ok {
		return p
	}
	n := max(m.most, 1)
	p := &Pool[T]{may: make(chan struct{}, n)}
	for range n {
		p.free = append(p.free, connection())
	}
	m.links = p
	return p
}

// fingerprint names a task in a source's memory: IDs may be long.
type fingerprint [16]byte

func printOf(name string) fingerprint {
	sum := sha256.Sum256([]byte(name))
	return fingerprint(sum[:16])
}

// maxGiven bounds what Given remembers by name.
const maxGiven = 1024

// Given are the tasks that a worker has, gave back, or lost, and that may still come back to
// it: a source remembers them whose server can't tell. It holds none of their payloads,
// and not more the more there are. It may be used from several goroutines. The zero value is
// empty.
type Given struct {
	mu   sync.Mutex
	held map[fingerprint]bool      // those that it has
	free map[fingerprint]time.Time // since when others may take each
	rest time.Time                 // since when those may be taken that there was no room for
}

// Hold remembers a task that the worker has.
func (g *Given) Hold(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := printOf(name)
	if g.held == nil {
		g.held = map[fingerprint]bool{}
	}
	g.held[p] = true
	delete(g.free, p)
}

// Add remembers a task that others may take then.
func (g *Given) Add(name string, free time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := printOf(name)
	delete(g.held, p)
	if _, known := g.free[p]; !known && len(g.free) >= maxGiven {
		if free.After(g.rest) {
			g.rest = free
		}
		return
	}
	if g.free == nil {
		g.free = map[fingerprint]time.Time{}
	}
	g.free[p] = free
}

// Forget forgets a task: it is nobody's any more.
func (g *Given) Forget(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := printOf(name)
	delete(g.held, p)
	delete(g.free, p)
}

// Missed: there was nothing to take since then. What others could have taken before
// that, they have.
func (g *Given) Missed(began time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for p, free := range g.free {
		if free.Before(began) {
			delete(g.free, p)
		}
	}
	if g.rest.Before(began) {
		g.rest = time.Time{}
	}
}

// Any tells whether there is one.
func (g *Given) Any() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.held) > 0 || len(g.free) > 0 || !g.rest.IsZero()
}

// maxUntold bounds what Untold remembers.
const maxUntold = 1 << 16

// Untold are the tasks whose failure can't be told to the server, for what would have to
// be said of them can't be. It delivers them again and again; whoever counts that here
// can end. It may be used from several goroutines. The zero value is empty.
type Untold struct {
	mu       sync.Mutex
	failures map[fingerprint]int
	dead     int
}

// Fail counts a failure of a task, and tells whether it has had all its attempts: those
// that the server counted may be more. Without a number of attempts, the first was the
// last, as no further one could be told of either.
func (u *Untold) Fail(name string, attempt, most int) (dead bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	p := printOf(name)
	n := u.failures[p] + 1
	if u.failures == nil {
		u.failures = map[fingerprint]int{}
	}
	u.failures[p] = n
	if max(n, attempt) < most {
		return false
	}
	u.failures[p] = buried
	u.dead++
	return true
}

// buried is the number of failures of a task that is dead.
const buried = 1 << 30

// Failures gives how many a task has had.
func (u *Untold) Failures(name string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.failures[printOf(name)]
}

// Dead tells whether a task that comes again has had all its attempts.
func (u *Untold) Dead(name string) bool { return u.Failures(name) >= buried }

// Buried is how many have had all their attempts.
func (u *Untold) Buried() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.dead
}

// Full tells that no more can be remembered: it isn't a few tasks that are broken then.
func (u *Untold) Full() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.failures) >= maxUntold
}
