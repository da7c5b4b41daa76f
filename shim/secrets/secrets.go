// Package secrets is what nobody may see of this process. There is one set of them, which
// everything that is told goes through: who reads a secret puts it in, and who tells
// something needn't know where a secret may stand in it.
package secrets

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"nth/shim/failure"
	"nth/templates"
)

// Set is a set of secrets. The zero value has none; nil hides nothing. It may be used
// from several goroutines.
type Set struct {
	mu     sync.RWMutex
	held   map[string]int // how many hold each
	sorted []string       // the longest first: one within another would leave the rest of it to be seen
	forms  []string       // as they may stand in a text
}

// Add puts secrets in for good.
func (s *Set) Add(values ...string) { s.count(values, 1) }

// Scope takes secrets for a while: what a function makes of one may be different for each
// of a million tasks.
type Scope struct {
	set    *Set
	values []string
}

// Scope begins one.
func (s *Set) Scope() *Scope { return &Scope{set: s} }

// Add puts secrets into the set until the scope ends.
func (sc *Scope) Add(values ...string) {
	sc.set.count(values, 1)
	sc.values = append(sc.values, values...)
}

// End takes them out, but for those that somebody else has put in.
func (sc *Scope) End() {
	sc.set.count(sc.values, -1)
	sc.values = nil
}

func (s *Set) count(values []string, n int) {
	if len(values) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[string]int{}
	}
	changed := false
	for _, v := range values {
		if v == "" {
			continue
		}
		before := s.held[v]
		if s.held[v] = before + n; before+n <= 0 {
			delete(s.held, v)
		}
		changed = changed || before == 0 || before+n <= 0
	}
	if changed {
		s.sort()
	}
}

func (s *Set) sort() {
	all := make([]string, 0, len(s.held))
	for v := range s.held {
		all = append(all, v)
	}
	sort.Slice(all, func(i, j int) bool {
		if a, b := len(all[i]), len(all[j]); a != b {
			return a > b
		}
		return all[i] < all[j]
	})
	s.sorted, s.forms = all, nil
	for _, v := range all {
		s.forms = append(s.forms, forms(v)...)
	}
}

// forms gives a secret as it may stand in a text: as it is, in a URL, in quotes, and in a
// failure's one line.
func forms(secret string) []string {
	quoted := strconv.Quote(secret)
	list := append(templates.Forms([]string{secret}), quoted[1:len(quoted)-1])
	if line := failure.OneLine(secret); line != "" {
		list = append(list, line)
	}
	return list
}

// All gives the secrets, the longest first.
func (s *Set) All() []string {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sorted
}

// Longest is how long the longest is, in bytes.
func (s *Set) Longest() int {
	if all := s.All(); len(all) > 0 {
		return len(all[0])
	}
	return 0
}

// Hide takes the secrets out of a text, also as they stand in a URL.
func (s *Set) Hide(text string) string {
	if s == nil {
		return text
	}
	s.mu.RLock()
	forms := s.forms
	s.mu.RUnlock()
	for _, form := range forms {
		text = strings.ReplaceAll(text, form, templates.Mask)
	}
	return text
}

// Recent takes secrets without end, and holds the last ones: of what is made anew for each
// call, the calls that are under way are what anybody may still tell of.
type Recent struct {
	mu     sync.Mutex
	set    *Set
	values []string
	next   int
}

// Recent gives room for n of them.
func (s *Set) Recent(n int) *Recent { return &Recent{set: s, values: make([]string, n)} }

// Add puts secrets into the set, in the place of the oldest ones.
func (r *Recent) Add(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range values {
		if v == "" || slices.Contains(r.values, v) {
			continue
		}
		r.set.count([]string{v}, 1)
		r.set.count(r.values[r.next:r.next+1], -1)
		r.values[r.next] = v
		r.next = (r.next + 1) % len(r.values)
	}
}
