package web

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRenewed: when one is fetched, and what serves when that fails.
func TestRenewed(t *testing.T) {
	broken := errors.New("no answer")
	type step struct {
		at      time.Duration // since the beginning
		life    time.Duration // of what is fetched; 0: for ever
		fail    bool
		drop    bool // before it
		want    int  // which one is got; 0: the error
		fetches int  // so far
	}
	for name, steps := range map[string][]step{
		"one for ever":              {{at: 0, want: 1, fetches: 1}, {at: 1e6 * time.Hour, want: 1, fetches: 1}},
		"renewed before its end":    {{life: time.Hour, want: 1, fetches: 1}, {at: 54 * time.Minute, want: 1, fetches: 1}, {at: 56 * time.Minute, life: time.Hour, want: 2, fetches: 2}, {at: 110 * time.Minute, want: 2, fetches: 2}},
		"none at first":             {{fail: true, fetches: 1}, {at: 1, fail: true, fetches: 2}, {at: 2, want: 3, fetches: 3}},
		"the old one to its end":    {{life: time.Hour, want: 1, fetches: 1}, {at: 56 * time.Minute, fail: true, want: 1, fetches: 2}, {at: 56*time.Minute + time.Second, fail: true, want: 1, fetches: 2}, {at: 57 * time.Minute, fail: true, want: 1, fetches: 3}, {at: 61 * time.Minute, fail: true, fetches: 4}},
		"and then a new one":        {{life: time.Hour, want: 1, fetches: 1}, {at: 56 * time.Minute, fail: true, want: 1, fetches: 2}, {at: 57 * time.Minute, life: time.Hour, want: 3, fetches: 3}},
		"short-lived":               {{life: time.Minute, want: 1, fetches: 1}, {at: 20 * time.Second, want: 1, fetches: 1}, {at: 40 * time.Second, life: time.Minute, want: 2, fetches: 2}},
		"dropped":                   {{life: time.Hour, want: 1, fetches: 1}, {at: time.Minute, drop: true, life: time.Hour, want: 2, fetches: 2}},
		"dropped, and no other one": {{life: time.Hour, want: 1, fetches: 1}, {at: time.Minute, drop: true, fail: true, fetches: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			var now step
			fetches := 0
			r := Renewed[int]{Now: func() time.Time { return begin.Add(now.at) }, Fetch: func(context.Context) (int, time.Time, error) {
				fetches++
				switch {
				case now.fail:
					return 0, time.Time{}, broken
				case now.life == 0:
					return fetches, time.Time{}, nil
				}
				return fetches, begin.Add(now.at + now.life), nil
			}}
			for i, s := range steps {
				now = s
				if s.drop {
					r.Drop()
				}
				got, err := r.Get(t.Context())
				if (err != nil) != (s.want == 0) {
					t.Errorf("step %d: error %v", i, err)
				}
				if diff := cmp.Diff([2]int{s.want, s.fetches}, [2]int{got, fetches}); diff != "" {
					t.Errorf("step %d: which one, fetches (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}
