package transfer

import (
	"context"
	"slices"
	"sync"
)

// budget bounds the bytes that are under way. Who asks first has them first: many small
// blobs never keep a large one from beginning.
type budget struct {
	mu    sync.Mutex
	used  int64
	queue []*turn
}

type turn struct {
	n    int64
	came chan struct{}
}

// take waits for n bytes of so many that there are, or for all of them where n is more, and
// gives what returns them.
func (b *budget) take(ctx context.Context, n, of int64) (give func(), err error) {
	n = min(n, of)
	give = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.used -= n
		b.next(of)
	}
	t := &turn{n, make(chan struct{})}
	b.mu.Lock()
	b.queue = append(b.queue, t)
	b.next(of)
	b.mu.Unlock()
	select {
	case <-t.came:
		return give, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	waits := slices.Index(b.queue, t)
	if waits >= 0 {
		b.queue = slices.Delete(b.queue, waits, waits+1)
		b.next(of) // those behind may be smaller
	}
	b.mu.Unlock()
	if waits < 0 { // it came just now
		give()
	}
	return nil, context.Cause(ctx)
}

// next lets those begin whose turn it is.
func (b *budget) next(of int64) {
	for len(b.queue) > 0 && b.used+b.queue[0].n <= of {
		b.used += b.queue[0].n
		close(b.queue[0].came)
		b.queue = b.queue[1:]
	}
}
