package objects

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"nth/shim/store"
	"nth/shim/store/contract"
)

// pieces is where a list is kept.
type pieces interface {
	read(ctx context.Context, key string) ([]byte, error)
	part(ctx context.Context, key string, offset, length int64) ([]byte, error)
	put(ctx context.Context, key string, body []byte) error
	create(ctx context.Context, key string, body []byte) error
	remove(ctx context.Context, key string) error
	show(key string) string
}

// pinned keeps it in a store.
type pinned struct{ s *store.Store }

func (p pinned) read(ctx context.Context, key string) ([]byte, error) {
	body, _, err := p.s.Read(ctx, key)
	return body, err
}

func (p pinned) part(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	return p.s.ReadPart(ctx, key, offset, length)
}

func (p pinned) put(ctx context.Context, key string, body []byte) error {
	return p.s.Put(ctx, key, body)
}

func (p pinned) create(ctx context.Context, key string, body []byte) error {
	return p.s.Create(ctx, key, body)
}

func (p pinned) remove(ctx context.Context, key string) error { return p.s.Remove(ctx, key) }
func (p pinned) show(key string) string                       { return p.s.Show(key) }

// memory keeps it for this process alone.
type memory struct {
	mu   sync.Mutex
	held map[string][]byte
}

func (m *memory) read(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if body, ok := m.held[key]; ok {
		return body, nil
	}
	return nil, &contract.Error{Kind: contract.Absent, Cause: errors.New("there is none")}
}

func (m *memory) part(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	body, err := m.read(ctx, key)
	if err != nil || offset+length > int64(len(body)) {
		return nil, cmp.Or(err, error(&contract.Error{Kind: contract.Malformed, Cause: errors.New("it is shorter than it was")}))
	}
	return body[offset : offset+length], nil
}

func (m *memory) put(_ context.Context, key string, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held == nil {
		m.held = map[string][]byte{}
	}
	m.held[key] = body
	return nil
}

func (m *memory) create(ctx context.Context, key string, body []byte) error {
	return m.put(ctx, key, body)
}
func (m *memory) remove(context.Context, string) error { return nil }
func (m *memory) show(string) string                   { return "in memory" }
