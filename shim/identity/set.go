package identity

import (
	"cmp"
	"slices"
)

// Ranges is how many ranges the list is made of, which is what it costs.
func (l List) Ranges() int { return len(l.spans) }

// Span gives the list of the indexes from start to before end.
func Span(start, end int64) (l List) {
	if start < end {
		l.add(start, end-1)
	}
	return l
}

// Clone gives a list that shares nothing with this one.
func (l List) Clone() List { return List{slices.Clone(l.spans)} }

// Cut gives the list's first ranges, at most so many.
func (l List) Cut(most int) List { return List{l.spans[:min(most, len(l.spans))]} }

// Add puts an index into the list, wherever it belongs, unless the list would have more
// ranges than most then. Near the list's end it is cheap.
func (l *List) Add(index int64, most int) {
	at, _ := slices.BinarySearchFunc(l.spans, index-1, func(s span, last int64) int { return cmp.Compare(s.last, last) })
	if at == len(l.spans) {
		if at < most {
			l.add(index, index)
		}
		return
	}
	switch s := &l.spans[at]; {
	case s.first <= index && index <= s.last:
		return
	case s.last+1 == index:
		s.last = index
		if at+1 < len(l.spans) && l.spans[at+1].first == index+1 {
			s.last = l.spans[at+1].last
			l.spans = slices.Delete(l.spans, at+1, at+2)
		}
	case index+1 == s.first:
		s.first = index
	case len(l.spans) >= most:
		return
	default:
		l.spans = slices.Insert(l.spans, at, span{index, index, s.before})
	}
	for i := at + 1; i < len(l.spans); i++ {
		l.spans[i].before++
	}
}

// Union gives the indexes that are in one list or the other.
func Union(a, b List) (u List) {
	for x, y := a.spans, b.spans; len(x) > 0 || len(y) > 0; {
		if len(x) == 0 || len(y) > 0 && y[0].first < x[0].first {
			x, y = y, x
		}
		first := x[0].first
		if len(u.spans) > 0 {
			first = max(first, u.Last()+1)
		}
		if first <= x[0].last {
			u.add(first, x[0].last)
		}
		x = x[1:]
	}
	return u
}

// Without gives the indexes of the list that are not in the other.
func (l List) Without(other List) (rest List) {
	y := other.spans
	for _, s := range l.spans {
		for len(y) > 0 && y[0].last < s.first {
			y = y[1:]
		}
		from := s.first
		for i := 0; i < len(y) && y[i].first <= s.last; i++ {
			if from < y[i].first {
				rest.add(from, y[i].first-1)
			}
			from = y[i].last + 1
		}
		if from <= s.last {
			rest.add(from, s.last)
		}
	}
	return rest
}

// Next gives the least number from here on that the list doesn't have.
func (l List) Next(from int64) int64 {
	at, _ := slices.BinarySearchFunc(l.spans, from, func(s span, n int64) int { return cmp.Compare(s.last, n) })
	if at < len(l.spans) && l.spans[at].first <= from {
		return l.spans[at].last + 1
	}
	return from
}

// MarshalText gives the list as String does.
func (l List) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText gives; an empty text is an empty list.
func (l *List) UnmarshalText(text []byte) (err error) {
	*l = List{}
	if len(text) > 0 {
		*l, err = ParseList(string(text))
	}
	return err
}
