package program

import (
	"bytes"
	"strconv"
	"sync"
	"testing"
)

// Buffer collects what a command writes, or a terminal shows, and can be read meanwhile.
type Buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Await waits until a text is there.
func (b *Buffer) Await(t testing.TB, text string) {
	t.Helper()
	AwaitText(t, "text "+strconv.Quote(text), b.String, text)
}
