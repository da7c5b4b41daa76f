package transfer

import (
	"context"
	"io"
	"io/fs"
	"sync"

	"nth/shim/store"
	"nth/shim/store/contract"
)

// stream writes a blob as r gives it: nothing can be seen of it before r's io.EOF, and
// nothing is left after any other error of r's. The deadline of ctx's patience is for what
// the store does by itself: while it waits for r, or while a request has a deadline of its
// own, none of it passes.
func (m *Mover) stream(ctx context.Context, s *store.Store, key string, r io.Reader, mode fs.FileMode) error {
	pace := &pace{ctx: ctx}
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := s.Stream(inner, key, &fed{r, pace, cancel}, contract.Parts{AtOnce: m.atOnce(), Size: int(m.partSize()), Mode: mode,
		Try: func(ctx context.Context, request func(context.Context) error) error {
			pace.leave()
			defer pace.back()
			return store.Retry(ctx, m.policy(), request, m.Retrying)
		}})
	if err != nil && inner.Err() != nil {
		return context.Cause(inner)
	}
	return err
}

// fed is what a store reads from.
type fed struct {
	io.Reader
	pace  *pace
	abort context.CancelCauseFunc
}

// Read ends the writing with an error: not every driver asks why there is no more.
func (f *fed) Read(p []byte) (int, error) {
	f.pace.leave()
	n, err := f.Reader.Read(p)
	f.pace.back()
	if err != nil && err != io.EOF {
		f.abort(err)
	}
	return n, err
}

// pace lets a context's patience rest while the store isn't what is waited for.
type pace struct {
	ctx  context.Context
	mu   sync.Mutex
	away int
}

func (p *pace) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away++; p.away == 1 {
		contract.Rest(p.ctx)
	}
}

func (p *pace) back() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away--; p.away == 0 {
		contract.Came(p.ctx)
		contract.Asked(p.ctx)
	}
}
