package status

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sort"
	"time"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// maxClaims is how many claims are read at most, the latest first.
const maxClaims = 1000

// claim is the part of a claim's document that tells whether it is alive.
type claim struct {
	TTL      span `json:"ttl"`
	Released bool `json:"released"`
}

// span is a duration, written as 30s or as a number of seconds.
type span time.Duration

// UnmarshalJSON takes either.
func (s *span) UnmarshalJSON(b []byte) error {
	var seconds float64
	if err := json.Unmarshal(b, &seconds); err == nil {
		*s = span(seconds * float64(time.Second))
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	d, err := time.ParseDuration(text)
	*s = span(d)
	return err
}

// claimants finds out which claims of what isn't settled are alive: younger than their
// own TTL by the store's dates. The latest date that the store gave to anything
// stands in for a clock of this machine that is behind.
func (c *scan) claimants(l *lister) error {
	c.mu.Lock()
	open := slices.DeleteFunc(slices.Collect(maps.Keys(c.claims)), func(at int64) bool { return c.snap.States[at]&isDone != 0 })
	now := c.newest
	c.mu.Unlock()
	if t := time.Now(); t.After(now) {
		now = t
	}
	sort.Slice(open, func(i, j int) bool {
		a, b := open[i], open[j]
		return cmp.Or(c.claims[b].Compare(c.claims[a]), cmp.Compare(a, b)) < 0
	})
	open = open[:min(len(open), maxClaims)]
	alive := make([]bool, len(open))
	err := store.Each(l.ctx, len(open), func(ctx context.Context, i int) error {
		key := marker.Key("claim", c.snap.Of.At(open[i]))
		body, err := read(ctx, l.s, l.policy, key)
		if err != nil || body == nil {
			return err
		}
		var doc claim
		alive[i] = json.Unmarshal(body, &doc) == nil && !doc.Released && now.Sub(c.claims[open[i]]) < time.Duration(doc.TTL)
		return nil
	})
	for i, at := range open {
		if alive[i] {
			c.snap.States[at] = Running
		}
	}
	return err
}

// read gives a document, nil when it has gone since it was listed.
func read(ctx context.Context, s *store.Store, p store.Policy, key string) (body []byte, err error) {
	err = store.Retry(ctx, p, func(ctx context.Context) (err error) {
		body, _, err = s.Read(ctx, key)
		return err
	}, nil)
	if err != nil && store.Classify(err) == contract.Absent {
		return nil, nil
	}
	return body, fail(err, "read", s.Show(key))
}
