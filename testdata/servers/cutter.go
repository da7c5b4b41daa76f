package servers

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Cutter stands before a server, and cuts connections after some bytes of its answers.
type Cutter struct {
	net.Listener
	Cuts atomic.Int64 // how many it has cut
	mu   sync.Mutex
	dice *rand.Rand
	most int64
}

// StartCutter starts one before a server: each connection is cut after a number of bytes
// between 0 and most, which the seed decides; with most 0 none is.
func StartCutter(t testing.TB, backend string, seed uint64, most int64) *Cutter {
	t.Helper()
	c := &Cutter{dice: rand.New(rand.NewPCG(seed, seed)), most: most}
	c.Listener = front(t, func() *string { return &backend }, c.answer)
	return c
}

// Most changes after how many bytes at most the next connections are cut.
func (c *Cutter) Most(most int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = most
}

func (c *Cutter) answer(server io.Reader, client io.Writer) {
	c.mu.Lock()
	var n int64
	cuts := c.most > 0
	if cuts {
		n = c.dice.Int64N(c.most)
	}
	c.mu.Unlock()
	if !cuts {
		_, _ = io.Copy(client, server)
		return
	}
	if _, err := io.CopyN(client, server, n); err == nil {
		c.Cuts.Add(1)
	}
}
