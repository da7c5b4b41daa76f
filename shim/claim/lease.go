package claim

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
)

// Lease is a claim that is held, and kept until it is released.
type Lease struct {
	c    *Claim
	lost chan struct{} // closed when the command must stop

	tookOver bool        // another had it before
	over     atomic.Bool // somebody was told that it has ended

	mu   sync.Mutex
	held held

	taken, stop chan struct{}      // closed: another has it by now; it is released
	cancel      context.CancelFunc // of a renewal
	ended       sync.WaitGroup
}

// errTaken: another run has the claim by now.
var errTaken = errors.New("another run has taken the claim over")

func (c *Claim) hold(h held) *Lease {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Lease{c: c, held: h, lost: make(chan struct{}), taken: make(chan struct{}), stop: make(chan struct{}), cancel: cancel}
	l.ended.Go(func() { l.renewals(ctx) })
	l.ended.Go(l.expire)
	return l
}

// TookOver tells whether another run had the claim before.
func (l *Lease) TookOver() bool { return l.tookOver }

// Lost is closed when the command must stop.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Over tells whether the lease has ended: what hasn't begun must not begin. Whoever was told
// so gave up for it: it stays so, whatever a renewal that is under way may bring.
func (l *Lease) Over() bool {
	if isClosed(l.lost) || l.until(l.c.rules.lost) <= 0 {
		l.over.Store(true)
	}
	return l.over.Load()
}

// Grace is how long the command may take to stop, from now on: more than 0, for it must be
// killed then.
func (l *Lease) Grace() time.Duration { return max(l.until(l.c.rules.kill), 1) }

// until gives how long it is until so much of the TTL is over, since the last write that was
// accepted was sent.
func (l *Lease) until(twelfths time.Duration) time.Duration {
	return l.current().sent + l.c.part(twelfths) - l.c.Clock.Now()
}

func (l *Lease) current() held {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// expire ends the lease when its time is up, whatever a renewal may be waiting for. The
// clock is looked at more often than that: timers stand still while a machine sleeps.
func (l *Lease) expire() {
	for left := l.until(l.c.rules.lost); left > 0; left = l.until(l.c.rules.lost) {
		select {
		case <-l.stop:
			return
		case <-l.taken:
			close(l.lost)
			return
		case <-l.c.Clock.After(min(left, l.c.part(1))):
		}
	}
	close(l.lost)
}

// renewals renew the claim every third of its TTL, and sooner after one that failed.
func (l *Lease) renewals(ctx context.Context) {
	due := l.current().sent + l.c.part(l.c.rules.renew)
	for {
		select {
		case <-l.stop:
			return
		case <-l.lost:
			return
		case <-l.c.Clock.After(min(max(due-l.c.Clock.Now(), time.Millisecond), l.c.part(1))):
		}
		if l.c.Clock.Now() < due {
			continue
		}
		sent, err := l.renew(ctx)
		switch {
		case err == nil:
			due = sent + l.c.part(l.c.rules.renew)
		case errors.Is(err, errTaken):
			return
		default:
			due = l.c.Clock.Now() + l.c.part(1)/2
			if l.c.Trouble != nil && ctx.Err() == nil {
				l.c.Trouble(err, due-l.c.Clock.Now())
			}
		}
	}
}

// renew makes one try, for a sixth of the TTL.
func (l *Lease) renew(ctx context.Context) (sent time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.c.part(2))
	defer cancel()
	next, err := l.c.replace(ctx, l.current(), false)
	if errors.Is(err, errTaken) {
		close(l.taken)
	}
	if err == nil && !isClosed(l.lost) { // what is lost is lost for good
		l.mu.Lock()
		defer l.mu.Unlock()
		l.held = next
	}
	return next.sent, err
}

// replace writes the next version in the place of one that is ours. Of a write whose answer
// was lost it finds out what came of it.
func (c *Claim) replace(ctx context.Context, h held, released bool) (held, error) {
	for range 3 { // our own writes that came late may stand there, one after the other
		next, err := c.write(ctx, h.term, released, h.token)
		if err == nil || store.Classify(err) != contract.Exists {
			return next, err
		}
		doc, token, err := c.read(ctx)
		if err != nil && store.Classify(err) != contract.Absent {
			return held{}, err
		}
		there, ours := c.ours(doc, token)
		if err != nil || !ours {
			return held{}, errTaken
		}
		if doc.Released == released {
			return there, nil
		}
		h = there
	}
	return held{}, &contract.Error{Kind: contract.Conflict, Cause: errors.New("its version changes all the time")}
}

// Release gives the claim back; the command has ended, and all of what it left. What it
// can't do, the TTL does.
func (l *Lease) Release() error {
	l.Drop()
	return l.giveBack()
}

// Drop ends the lease and writes nothing: for what nobody looks at any more.
func (l *Lease) Drop() {
	close(l.stop)
	l.cancel()
	l.ended.Wait()
}

func (l *Lease) giveBack() error {
	if isClosed(l.taken) {
		return nil
	}
	return store.Retry(context.Background(), l.c.End, func(ctx context.Context) error {
		if _, err := l.c.replace(ctx, l.held, true); err != nil && !errors.Is(err, errTaken) {
			return err
		}
		return nil
	}, nil)
}
