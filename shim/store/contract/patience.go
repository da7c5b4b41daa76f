package contract

import (
	"context"
	"io"
	"sync"
	"time"
)

// piece is how many bytes of a body count as a sign of life. An answer that is shorter,
// as a marker is, has one deadline for all of it, and none may trickle for ever.
const piece = 4 << 10

// patience is for how long an answer is waited for of which nothing comes: a deadline that
// begins anew with each piece, such as a page of a listing, an entry of a directory, or
// some bytes of a body. While who asked is at work with what came, no time passes.
type patience struct {
	limit time.Duration
	timer *time.Timer

	mu    sync.Mutex
	left  time.Duration // of the limit, when the wait began
	since time.Time     // when it did
	asks  int           // who waits; those who ask several things at once are several
	rests bool          // nobody waits
	bytes int           // since the last piece
}

type patienceKey struct{}

// WithPatience gives a context that ends when a store is waited for this long and no piece
// of its answer comes; its cause is context.DeadlineExceeded then.
func WithPatience(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	p := &patience{limit: limit, left: limit, since: time.Now(),
		timer: time.AfterFunc(limit, func() { end(context.DeadlineExceeded) })}
	return context.WithValue(ctx, patienceKey{}, p), func() {
		p.timer.Stop()
		end(nil)
	}
}

// patienceOf gives a context's. Nil, on which nothing has an effect: its deadline is for
// the whole.
func patienceOf(ctx context.Context) *patience {
	p, _ := ctx.Value(patienceKey{}).(*patience)
	return p
}

// Asked says that a store is waited for from here on.
func Asked(ctx context.Context) { patienceOf(ctx).asked() }

// Rest says that who has asked doesn't wait any longer. Once nobody does, no time passes
// until something is asked again.
func Rest(ctx context.Context) { patienceOf(ctx).rest() }

// Came says that a piece of an answer came.
func Came(ctx context.Context) { patienceOf(ctx).came() }

// Got says that so many bytes of a body came.
func Got(ctx context.Context, n int) { patienceOf(ctx).got(n) }

// Late tells how long ago the patience of a context that has one was over; it is less than 0
// before that.
func Late(ctx context.Context) time.Duration {
	p := patienceOf(ctx)
	p.mu.Lock()
	late := -p.left
	if !p.rests {
		late += time.Since(p.since)
	}
	p.mu.Unlock()
	return late
}

func (p *patience) asked() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asks++
	if p.rests {
		p.rests, p.since = false, time.Now()
		p.timer.Reset(p.left)
	}
}

func (p *patience) rest() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asks = max(p.asks-1, 0)
	if !p.rests && p.asks == 0 {
		p.timer.Stop()
		p.rests, p.left = true, p.left-time.Since(p.since)
	}
}

func (p *patience) came() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes, p.left = 0, p.limit
	if !p.rests {
		p.since = time.Now()
		p.timer.Reset(p.limit)
	}
}

func (p *patience) got(n int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.bytes += n
	enough := p.bytes >= piece
	p.mu.Unlock()
	if enough {
		p.came()
	}
}

// Received gives the body of an answer, whose pieces count.
func Received(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	if p := patienceOf(ctx); p != nil {
		return &received{body, p}
	}
	return body
}

type received struct {
	io.ReadCloser
	p *patience
}

func (r *received) Read(b []byte) (int, error) {
	r.p.asked()
	n, err := r.ReadCloser.Read(b)
	if r.p.got(n); err == io.EOF {
		r.p.came()
	}
	r.p.rest()
	return n, err
}

// Sent gives the body of a request, whose pieces count as they are taken; its answer is
// waited for all the time.
func Sent(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	if p := patienceOf(ctx); p != nil {
		return &sent{body, p}
	}
	return body
}

type sent struct {
	io.ReadCloser
	p *patience
}

func (s *sent) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	s.p.got(n)
	return n, err
}
