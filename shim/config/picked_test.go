package config

import (
	"strconv"
	"strings"
	"testing"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/templates"
)

// TestPickedNumbers: on every platform, whatever its array is, either the parts of all its
// tasks are those of one sharing-out, or nobody gets one: no items but an index's own, and
// none twice.
func TestPickedNumbers(t *testing.T) {
	const items = 10
	for _, p := range identity.Platforms {
		for _, first := range []int64{0, 1, 5} {
			for _, s := range []identity.Settings{{}, {IndexOffset: -1}, {Completions: number(2)}, {Completions: number(2), IndexOffset: -1}} {
				owner, tasks := map[int64]int64{}, 0
				for n := first; n < first+2; n++ {
					id, err := identity.Resolve(s, array(p, n), "")
					if err != nil {
						continue // a number that is none there
					}
					tasks++
					c := run(func(t *Told) { t.Mapping.Items = items }).Config
					if err := c.Check(&id); err != nil {
						if failure.From(err).Code != failure.Setup || !strings.Contains(failure.From(err).Hint, "--completions") {
							t.Errorf("%s %d: %v", p.Name, n, err)
						}
						continue
					}
					if !p.Fixed && s.Completions == nil {
						t.Errorf("%s: number %d of an array has a part, by its size alone", p.Name, n)
					}
					part := templates.ShardOf(items, id.Index, *id.Total())
					for item := part.Start; item < part.End; item++ {
						if other, taken := owner[item]; taken || item >= items {
							t.Errorf("%s: number %d has item %d of %d, as has %d", p.Name, n, item, items, other)
						}
						owner[item] = n
					}
				}
				if tasks == 2 && s.Completions != nil && first+s.IndexOffset == p.Base && len(owner) != items {
					t.Errorf("%s from %d, %+v: %d items are someone's", p.Name, first, s, len(owner))
				}
			}
		}
	}
}

// array has the variables of number n of an array of two.
func array(p identity.Platform, n int64) func(string) (string, bool) {
	return func(name string) (string, bool) {
		switch name {
		case "":
		case p.Variable:
			return strconv.FormatInt(n, 10), true
		case p.Count:
			return "2", true
		case p.NamedBy:
			return p.Variable, true
		}
		return "", false
	}
}
