package commit

import (
	"context"
	"errors"
	"time"

	"nth/shim/claim"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// mortal is the store of a claim: who was killed asks it nothing any more, and gives
// nothing back.
type mortal struct {
	*store.Store
	life context.Context
}

var errDead = &contract.Error{Kind: contract.Invalid, Cause: errKilled}

func (s mortal) Read(ctx context.Context, key string) ([]byte, contract.Token, error) {
	if s.life.Err() != nil {
		return nil, "", errDead
	}
	return s.Store.Read(ctx, key)
}

func (s mortal) Swap(ctx context.Context, key string, body []byte, old contract.Token) (contract.Token, error) {
	if s.life.Err() != nil {
		return "", errDead
	}
	return s.Store.Swap(ctx, key, body, old)
}

// take takes the claim, if the item isn't done meanwhile.
func (p *pod) take(ctx context.Context) (*claim.Lease, error) {
	c := &claim.Claim{Store: mortal{p.markers, ctx}, Clock: p.machine, TTL: ttl, Access: p.Access(ttl / 2), End: p.Access(ttl / 2),
		Mine: claim.Document{Index: index, RunID: p.it.Header.RunID},
		Settled: func(ctx context.Context) (bool, error) {
			e, err := p.it.Book.Look(ctx, p.it.Header)
			return e != nil && (p.over == nil || e.RunID != p.over.RunID), err
		}}
	return c.Take(ctx)
}

var (
	errKilled = errors.New("killed")
	errFailed = errors.New("the command failed")
	errLost   = errors.New("the lease was lost")
)

// work is the command, which ignores SIGTERM.
func (p *pod) work(ctx context.Context, l *claim.Lease) error {
	id := p.it.Header.RunID
	var lost <-chan struct{}
	if l != nil {
		if l.Over() {
			return errLost
		}
		lost = l.Lost()
	}
	p.begin(id)
	finished := time.After(time.Duration(p.Under("work", float64(3*ttl))))
	select {
	case <-ctx.Done():
		p.ended(id, false)
		return errKilled
	case <-finished:
		ok := !p.Likely("fails", 0.2)
		p.ended(id, ok)
		if !ok {
			return errFailed
		}
		return nil
	case <-lost:
	}
	select {
	case <-ctx.Done():
	case <-p.After(l.Grace()):
	}
	p.ended(id, false)
	return errLost
}

func (p *pod) begin(id string) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.tell("%v %s: begins", p.at(), id)
	p.count.begun++
	for other := range p.working {
		if p.claimed && !p.froze {
			p.violation("%s works beside %s", id, other)
		}
	}
	p.working[id] = true
}

func (p *pod) ended(id string, succeeded bool) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.tell("%v %s: ends, %v", p.at(), id, succeeded)
	delete(p.working, id)
	p.succeeded[id] = succeeded
}
