// Package policy is what of a Job's policy is the same on this machine and in Kubernetes.
package policy

import (
	"errors"
	"strconv"
	"strings"
)

// MaxFailed is the number of failed indexes that a Job endures. The zero value
// is the default: 10 %, but at least 10.
type MaxFailed struct {
	set     bool
	percent bool
	n       int64
}

// ParseMaxFailed reads "N", "N%" or "", which is the default. The error says
// what is expected.
func ParseMaxFailed(s string) (MaxFailed, error) {
	if s == "" {
		return MaxFailed{}, nil
	}
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || percent && n > 100 {
		return MaxFailed{}, errors.New("give a number of indexes such as 10, or a share such as 5%")
	}
	return MaxFailed{true, percent, int64(n)}, nil
}

// Of gives the limit for a Job of total indexes. A share is rounded down; the
// default is never below 10. It is never more than total, as in Kubernetes.
func (m MaxFailed) Of(total int64) int64 {
	switch {
	case !m.set:
		return min(total, max(10, share(total, 10)))
	case m.percent:
		return share(total, m.n)
	}
	return min(total, m.n)
}

// share is percent of total without an overflow.
func share(total, percent int64) int64 {
	return total/100*percent + total%100*percent/100
}
