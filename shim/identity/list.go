package identity

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nth/shim/failure"
)

// List is a list of indexes in increasing order, such as 3,7-9. Ranges stay
// ranges, so that 0-99999999 costs nothing.
type List struct{ spans []span }

// span is a range of the list, both ends included, after before other indexes.
// Between two spans there is a gap.
type span struct{ first, last, before int64 }

// maxStepped is how many indexes a list has at most that come from ranges with a step,
// each of which is a span.
const maxStepped = 4_000_001 // as Slurm's largest array (slurm.conf(5), MaxArraySize)

// ParseList reads a list in the form in which Kubernetes prints completedIndexes:
// numbers and ranges, increasing, with commas; and as schedulers write their arrays: a
// range with a step, 0-99:10, a blank behind a comma, and at the end how many run at the
// same time, %4, which says nothing of the indexes. A list that goes back or names an
// index twice is refused, for the k-th of it would depend on what was meant. An error is
// a failure with exit code 78.
func ParseList(s string) (List, error) {
	var l List
	numbers, limit, limited := strings.Cut(strings.Trim(s, blanks), "%")
	if _, err := parseIndex(limit); limited && err != nil {
		return List{}, badList(s, fmt.Errorf("behind %% %w", err))
	}
	stepped := int64(0)
	for part := range strings.SplitSeq(numbers, ",") {
		part = strings.TrimLeft(part, blanks)
		first, last, step, err := parseSpan(part)
		if err != nil {
			return List{}, badList(s, err)
		}
		if len(l.spans) > 0 && first <= l.Last() {
			return List{}, badList(s, fmt.Errorf("%s does not follow %d", part, l.Last()))
		}
		if step == 1 {
			l.add(first, last)
			continue
		}
		if stepped += (last-first)/step + 1; stepped > maxStepped {
			return List{}, badList(s, errors.New("it is too long"))
		}
		for k := range (last-first)/step + 1 {
			l.add(first+k*step, first+k*step)
		}
	}
	if l.Len() < 0 { // 0-9223372036854775807 alone has more indexes than fit
		return List{}, badList(s, errors.New("it is too long"))
	}
	return l, nil
}

const blanks = " \t\r\n"

func badList(s string, cause error) error {
	return &failure.Failure{Code: failure.Setup, Tried: "read the index list", On: short(s), Cause: cause,
		Hint: "write increasing numbers and ranges, such as 3,7-9 or 0-99:10"}
}

func parseSpan(part string) (first, last, step int64, err error) {
	span, every, stepped := strings.Cut(part, ":")
	from, to, isRange := strings.Cut(span, "-")
	step = 1
	if stepped {
		if step, err = parseIndex(every); err == nil && (step == 0 || !isRange) {
			err = fmt.Errorf("%s is no range with a step", part)
		}
	}
	if err != nil {
		return 0, 0, 0, err
	}
	if first, err = parseIndex(from); err != nil || !isRange {
		return first, first, step, err
	}
	if last, err = parseIndex(to); err == nil && last < first {
		err = fmt.Errorf("the range %s goes backwards", part)
	}
	return first, last, step, err
}

// add appends a range that lies behind all others.
func (l *List) add(first, last int64) {
	if n := len(l.spans); n > 0 && l.spans[n-1].last+1 == first {
		l.spans[n-1].last = last
		return
	}
	l.spans = append(l.spans, span{first, last, l.Len()})
}

// Grow adds an index that lies behind all others, and tells whether the list has then no
// more than so many ranges; else it stays as it is.
func (l *List) Grow(index int64, ranges int) bool {
	if n := len(l.spans); n >= ranges && l.Last()+1 != index {
		return false
	}
	l.add(index, index)
	return true
}

// Len gives how many indexes the list has.
func (l List) Len() int64 {
	if len(l.spans) == 0 {
		return 0
	}
	s := l.spans[len(l.spans)-1]
	return s.before + (s.last - s.first + 1)
}

// At gives the k-th index, from 0; k must be within Len.
func (l List) At(k int64) int64 {
	if k < 0 || k >= l.Len() {
		panic("identity: index beyond the list")
	}
	i, exact := slices.BinarySearchFunc(l.spans, k, func(s span, k int64) int { return cmp.Compare(s.before, k) })
	if !exact {
		i--
	}
	return l.spans[i].first + (k - l.spans[i].before)
}

// Contains tells whether the list names the index.
func (l List) Contains(index int64) bool {
	_, ok := l.Position(index)
	return ok
}

// Position gives the k of which At is the index, and whether the list names it.
func (l List) Position(index int64) (int64, bool) {
	i, exact := slices.BinarySearchFunc(l.spans, index, func(s span, index int64) int { return cmp.Compare(s.first, index) })
	if !exact {
		i--
	}
	if i < 0 || index > l.spans[i].last {
		return 0, false
	}
	return l.spans[i].before + (index - l.spans[i].first), true
}

// Shift gives the list with so much added to each index.
func (l List) Shift(by int64) List {
	moved := l.Clone()
	for i := range moved.spans {
		moved.spans[i].first += by
		moved.spans[i].last += by
	}
	return moved
}

// Last gives the greatest index of the list, which must not be empty.
func (l List) Last() int64 { return l.spans[len(l.spans)-1].last }

// Whole gives the list of 0 to n-1; n must be positive.
func Whole(n int64) (l List) {
	l.add(0, n-1)
	return l
}

// Only gives the list of one index.
func Only(index int64) (l List) {
	l.add(index, index)
	return l
}

// Pick gives those of the list whose k is wanted.
func (l List) Pick(wanted func(k int64) bool) (some List) {
	for _, s := range l.spans {
		for k := range s.last - s.first + 1 {
			if wanted(s.before + k) {
				some.add(s.first+k, s.first+k)
			}
		}
	}
	return some
}

// String gives the list in Kubernetes' form: runs of three or more as a range.
func (l List) String() string {
	var b []byte
	for i, s := range l.spans {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, s.first, 10)
		switch s.last - s.first {
		case 0:
			continue
		case 1:
			b = append(b, ',')
		default:
			b = append(b, '-')
		}
		b = strconv.AppendInt(b, s.last, 10)
	}
	return string(b)
}

// FormatList gives indexes, in any order, as List.String does.
func FormatList(indexes []int64) string {
	var l List
	for _, i := range slices.Compact(slices.Sorted(slices.Values(indexes))) {
		l.add(i, i)
	}
	return l.String()
}
