package objects

// automaton is a glob as steps, of which many may be the next: so a key takes as much time
// as it has characters, however the glob is made. (A regular expression would do as well;
// nothing else in nth needs one, and the package is 0.2 MB.)
type automaton []step

// step takes one of some characters, or, if it is a fork, leaves two ways open.
type step struct {
	set         []rune // pairs: from, to
	not, fork   bool
	next, other int // other is a fork's
}

// nowhere is where no way leads.
const nowhere = -1

// end gives where the next step will be.
func (a *automaton) end() int { return len(*a) }

// put adds a step that takes one character of a set, or one that is none of them.
func (a *automaton) put(not bool, set ...rune) {
	*a = append(*a, step{set: set, not: not, next: a.end() + 1})
}

// branch adds a fork, whose other way the caller knows later.
func (a *automaton) branch() *step {
	*a = append(*a, step{fork: true, next: a.end() + 1, other: nowhere})
	return &(*a)[a.end()-1]
}

// repeat adds any number of what put adds.
func (a *automaton) repeat(not bool, set ...rune) {
	fork := a.end()
	a.branch().other = fork + 2
	a.put(not, set...)
	(*a)[fork+1].next = fork
}

// parts adds any number of parts, each with the slash behind it.
func (a *automaton) parts() {
	fork := a.end()
	a.branch()
	a.repeat(true, '/', '/')
	a.put(false, '/', '/')
	(*a)[a.end()-1].next = fork
	(*a)[fork].other = a.end()
}

func (s *step) takes(r rune) bool {
	for i := 0; i < len(s.set); i += 2 {
		if s.set[i] <= r && r <= s.set[i+1] {
			return !s.not
		}
	}
	return s.not
}

// walk is where a key may be in an automaton.
type walk struct {
	automaton
	here []int // steps that take a character, and the end
	seen []int // by the step: the number of characters at which it was last added
	at   int
}

func (a automaton) match(key string) bool {
	w := walk{automaton: a, here: make([]int, 0, a.end()+1), seen: make([]int, a.end()+1)}
	spare := make([]int, 0, a.end()+1)
	w.at++
	w.add(0)
	for _, r := range key {
		before := w.here
		w.here = spare[:0]
		w.at++
		for _, i := range before {
			if i < a.end() && a[i].takes(r) {
				w.add(a[i].next)
			}
		}
		if spare = before; len(w.here) == 0 {
			return false
		}
	}
	return w.seen[a.end()] == w.at
}

// add adds a step, or all that the fork there leads to.
func (w *walk) add(i int) {
	for i != nowhere && w.seen[i] != w.at {
		w.seen[i] = w.at
		if i == w.end() || !w.automaton[i].fork {
			w.here = append(w.here, i)
			return
		}
		w.add(w.automaton[i].next)
		i = w.automaton[i].other
	}
}
