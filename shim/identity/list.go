package identity

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nth/shim/failure"
)

// List is a list of indexes in increasing order, such as 3,7-9. Ranges stay
// ranges, so that 0-99999999 costs nothing.
type List struct{ ranges []span }

type span struct{ first, last int64 } // both included

// ParseList reads a list in the form in which Kubernetes prints completedIndexes:
// numbers and ranges, increasing, with commas. An error is a failure with exit
// code 78.
func ParseList(s string) (List, error) {
	var l List
	for _, part := range strings.Split(s, ",") {
		r, err := parseSpan(part)
		if err != nil {
			return List{}, badList(s, err)
		}
		if n := len(l.ranges); n > 0 && r.first <= l.ranges[n-1].last {
			return List{}, badList(s, fmt.Errorf("%s does not follow %d", part, l.ranges[n-1].last))
		}
		l.ranges = append(l.ranges, r)
	}
	if total := l.Len(); total < 0 {
		return List{}, badList(s, errors.New("it is too long"))
	}
	return l, nil
}

func badList(s string, cause error) error {
	return &failure.Failure{Code: failure.Setup, Tried: "read the index list", On: strconv.Quote(s), Cause: cause,
		Hint: "write increasing numbers and ranges, such as 3,7-9"}
}

func parseSpan(part string) (span, error) {
	from, to, isRange := strings.Cut(part, "-")
	first, err := parseIndex(from)
	if err != nil {
		return span{}, err
	}
	last := first
	if isRange {
		if last, err = parseIndex(to); err != nil {
			return span{}, err
		}
	}
	if last < first {
		return span{}, fmt.Errorf("the range %s goes backwards", part)
	}
	return span{first, last}, nil
}

// parseIndex reads a base-10 index: digits alone, with neither sign nor space.
func parseIndex(s string) (int64, error) {
	if s == "" {
		return 0, errors.New("it is empty")
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return 0, fmt.Errorf("%s is not a whole number from 0 in base 10", strconv.Quote(s))
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is too large", s)
	}
	return n, nil
}

// Len gives how many indexes the list has; negative when that is no int64.
func (l List) Len() int64 {
	var n int64
	for _, r := range l.ranges {
		if n += r.last - r.first + 1; n < 0 {
			return -1
		}
	}
	return n
}

// At gives the k-th index, from 0; k must be within Len.
func (l List) At(k int64) int64 {
	for _, r := range l.ranges {
		if size := r.last - r.first + 1; k < size {
			return r.first + k
		} else {
			k -= size
		}
	}
	panic("identity: index beyond the list")
}

// Last gives the greatest index of the list, which must not be empty.
func (l List) Last() int64 { return l.ranges[len(l.ranges)-1].last }

// String gives the list in Kubernetes' form: runs of three or more as a range.
func (l List) String() string {
	var parts []string
	for i := 0; i < len(l.ranges); {
		r := l.ranges[i]
		for i++; i < len(l.ranges) && l.ranges[i].first == r.last+1; i++ {
			r.last = l.ranges[i].last
		}
		switch r.last - r.first {
		case 0:
			parts = append(parts, strconv.FormatInt(r.first, 10))
		case 1:
			parts = append(parts, strconv.FormatInt(r.first, 10), strconv.FormatInt(r.last, 10))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", r.first, r.last))
		}
	}
	return strings.Join(parts, ",")
}

// FormatList gives indexes, in any order, as List.String does.
func FormatList(indexes []int64) string {
	sorted := slices.Compact(slices.Sorted(slices.Values(indexes)))
	var l List
	for _, i := range sorted {
		l.ranges = append(l.ranges, span{i, i})
	}
	return l.String()
}
