package main

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"nth/shim/store"
	"nth/testdata/servers"
)

// counter notes what it hands on.
type counter struct {
	*servers.Fault
	mu    sync.Mutex
	asked []string
}

func count(t testing.TB, address string) *counter {
	c := &counter{}
	c.Fault = servers.StartFault(t, address, func(_ int, r *http.Request) servers.Action {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, r.URL.RequestURI())
		return nil
	})
	return c
}

// take gives what was asked since it was called last, by path and query.
func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = nil
	return asked
}

// bare gives the seconds that these requests take, as many at a time as nth has, when nobody
// reads what comes: the median of n times.
func bare(s3 *servers.S3, asked []string, n int) float64 {
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = store.Hands
	var walls []float64
	for range n {
		began := time.Now()
		check(store.Each(context.Background(), len(asked), func(_ context.Context, k int) error {
			res, err := s3.Get(asked[k])
			if err != nil {
				return err
			}
			defer res.Body.Close()
			_, err = io.Copy(io.Discard, res.Body)
			return err
		}))
		walls = append(walls, time.Since(began).Seconds())
	}
	slices.Sort(walls)
	return walls[n/2]
}
