package look

import (
	"path"
	"strings"
)

// shape is what the keys have in common that one template gives: by it an object is known
// that looks as if it were one index's, and is none's.
type shape struct {
	before, after string // what all keys begin and end with
	// forms are what stands between, with its numbers taken out; none: it isn't told by
	// numbers.
	forms []string
	// least and most are how many slashes stand between, endings those of the keys: none is
	// any.
	least, most int
	endings     []string
}

// Of more forms than these it isn't the number in which keys differ; and of more endings
// nothing follows from one.
const (
	maxForms   = 4
	maxEndings = 8
)

// shapeOf gives the shape of n keys, at least one, that come in order.
func shapeOf(n int, key func(int) string) shape {
	first, last := key(0), key(n-1)
	s := shape{before: first[:common(first, last)], after: first}
	shortest := len(first)
	for i := range n {
		k := key(i)
		shortest = min(shortest, len(k))
		s.after = s.after[len(s.after)-commonEnd(s.after, k):]
	}
	s.after = s.after[max(0, len(s.before)+len(s.after)-shortest):]
	s.before, s.after = strings.TrimRight(s.before, digits), strings.TrimLeft(s.after, digits)
	if s.numbers(n, key) {
		return s
	}
	s.before = s.before[:strings.LastIndexFunc(s.before, isBorder)+1]
	s.after = s.after[border(s.after):]
	s.least = -1
	s.endings = []string{}
	for i := range n {
		k := key(i)
		between := strings.Count(s.middle(k), "/")
		if s.least < 0 || between < s.least {
			s.least = between
		}
		s.most = max(s.most, between)
		s.endings = s.grown(s.endings, path.Ext(k), maxEndings)
	}
	return s
}

// numbers tells whether the keys differ in their numbers, and finds the forms.
func (s *shape) numbers(n int, key func(int) string) bool {
	s.forms = []string{}
	for i := range n {
		f := form(s.middle(key(i)))
		if s.forms = s.grown(s.forms, f, maxForms); s.forms == nil || !strings.Contains(f, number) {
			s.forms = nil
			return false
		}
	}
	return true
}

// grown is a set with one more in it; nil, and from then on, where they would be too many.
func (s *shape) grown(set []string, one string, most int) []string {
	if set == nil || contains(set, one) {
		return set
	}
	if len(set) == most {
		return nil
	}
	return append(set, one)
}

// middle is what stands between in a key that has both.
func (s *shape) middle(key string) string { return key[len(s.before) : len(key)-len(s.after)] }

// has tells whether a key is of this shape.
func (s *shape) has(key string) bool {
	if len(key) < len(s.before)+len(s.after) || !strings.HasPrefix(key, s.before) || !strings.HasSuffix(key, s.after) {
		return false
	}
	middle := s.middle(key)
	if s.forms != nil {
		return contains(s.forms, form(middle))
	}
	between := strings.Count(middle, "/")
	return middle != "" && between >= s.least && between <= s.most && (s.endings == nil || contains(s.endings, path.Ext(key)))
}

const digits = "0123456789"

// number stands for a number in a form.
const number = "\x00"

// form is a text with its numbers taken out.
func form(text string) string {
	var b strings.Builder
	for text != "" {
		rest := strings.TrimLeft(text, digits)
		if len(rest) < len(text) {
			b.WriteString(number)
		}
		if text = rest; text != "" {
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	return b.String()
}

// isBorder tells whether a character can't be within a name's word: a common beginning that
// ends before it is chance.
func isBorder(r rune) bool {
	return r < 0x80 && !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
}

// border is where the first one is; behind all of it where there is none.
func border(text string) int {
	if at := strings.IndexFunc(text, isBorder); at >= 0 {
		return at
	}
	return len(text)
}

func contains(set []string, one string) bool {
	for _, s := range set {
		if s == one {
			return true
		}
	}
	return false
}

func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func commonEnd(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
