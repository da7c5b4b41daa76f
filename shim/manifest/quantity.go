package manifest

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// quantity is how much of a resource there is, such as 500m or 2Gi, in billionths, which is
// as exact as Kubernetes keeps it: what is less than one is rounded up to it.
type quantity struct {
	nano   *big.Int
	binary bool // it was written with Ki, Mi, Gi …
}

// suffixes of quantities, the largest first, without those in e and E (kubernetes
// apimachinery pkg/api/resource). Each is a power of the base.
var (
	binarySuffixes  = []string{"Ei", "Pi", "Ti", "Gi", "Mi", "Ki"}
	decimalSuffixes = []string{"E", "P", "T", "G", "M", "k", "", "m", "u", "n"}
)

// maxExponent is that of the greatest quantity, and maxDigits bounds what is read of one.
const (
	maxExponent  = 18
	nanoExponent = 9
	maxDigits    = 40
)

// maxQuantity is the greatest that Kubernetes keeps, in ones.
const maxQuantity = 1<<63 - 1

// parseQuantity reads one as Kubernetes does: a number, and behind it one of the suffixes,
// or an exponent as in 12e6.
func parseQuantity(s string) (quantity, error) {
	number := len(s) - len(strings.TrimLeft(s, "0123456789."))
	digits, suffix := s[:number], s[number:]
	n, places, ok := decimal(digits)
	factor, exponent, known := factorOf(suffix)
	if !ok || !known {
		return quantity{}, fmt.Errorf("%q is no quantity", short(s))
	}
	q := quantity{scaled(n.Mul(n, factor), exponent+nanoExponent-places), strings.HasSuffix(suffix, "i")}
	if q.tooMuch() {
		return quantity{}, fmt.Errorf("%q is more than Kubernetes takes", short(s))
	}
	return q, nil
}

// tooMuch tells whether it is more than Kubernetes keeps.
func (q quantity) tooMuch() bool {
	most := big.NewInt(maxQuantity)
	return q.nano.Cmp(most.Mul(most, power(10, nanoExponent))) > 0
}

// short is as much of what was given as is said.
func short(s string) string { return s[:min(len(s), 2*maxDigits)] }

// decimal reads 1, 1.5, 1. or .5, as a whole number and how many places of it are behind
// the point.
func decimal(digits string) (n *big.Int, places int, ok bool) {
	if len(digits) > maxDigits || strings.Count(digits, ".") > 1 || strings.Trim(digits, ".") == "" || strings.Trim(digits, "0123456789.") != "" {
		return nil, 0, false
	}
	whole, part, _ := strings.Cut(digits, ".")
	n, ok = new(big.Int).SetString(whole+part, 10)
	return n, len(part), ok
}

// factorOf gives what a suffix multiplies by: a whole number, and a power of ten.
func factorOf(suffix string) (factor *big.Int, exponent int, known bool) {
	for i, name := range binarySuffixes {
		if suffix == name {
			return power(1024, len(binarySuffixes)-i), 0, true
		}
	}
	for i, name := range decimalSuffixes {
		if suffix == name {
			return big.NewInt(1), maxExponent - 3*i, true
		}
	}
	if suffix == "" || suffix[0] != 'e' && suffix[0] != 'E' {
		return nil, 0, false
	}
	e, err := strconv.ParseInt(suffix[1:], 10, 8)
	return big.NewInt(1), int(e), err == nil && e >= -maxDigits && e <= maxExponent
}

func power(base int64, n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(n)), nil)
}

// scaled gives n times a power of ten, rounded up.
func scaled(n *big.Int, exponent int) *big.Int {
	if exponent < 0 {
		return ceiling(n, power(10, -exponent))
	}
	return n.Mul(n, power(10, exponent))
}

// ceiling gives n/d, rounded up.
func ceiling(n, d *big.Int) *big.Int {
	up := new(big.Int).Add(n, d)
	up.Sub(up, big.NewInt(1))
	return up.Quo(up, d)
}

// times is how many times as much there is to be: n by a power of ten.
type times struct {
	n      *big.Int
	places int
}

// times gives so many times as much, rounded up: of memory, whole MiB or MB where it is so
// much, else bytes; of CPU, thousandths.
func (q quantity) times(by times, resource string) quantity {
	unit := power(10, nanoExponent)
	if resource == "cpu" {
		unit = power(10, nanoExponent-3)
	} else {
		larger := power(10, 6)
		if q.binary {
			larger = power(1024, 2)
		}
		if larger.Mul(larger, unit); q.nano.Cmp(larger) >= 0 {
			unit = larger
		}
	}
	more := new(big.Int).Mul(q.nano, by.n)
	units := ceiling(more, new(big.Int).Mul(unit, power(10, by.places)))
	return quantity{units.Mul(units, unit), q.binary && resource != "cpu"}
}

// String writes it as Kubernetes does: a whole number of the largest unit in which it is
// one.
func (q quantity) String() string {
	if q.nano.Sign() == 0 {
		return "0"
	}
	if q.binary {
		for i, name := range binarySuffixes {
			unit := power(1024, len(binarySuffixes)-i)
			if text, is := q.in(unit.Mul(unit, power(10, nanoExponent)), name); is {
				return text
			}
		}
	}
	for i, name := range decimalSuffixes {
		exponent := maxExponent - 3*i
		if q.binary && exponent > 0 {
			continue // 1000 is no kilo there
		}
		if text, is := q.in(power(10, nanoExponent+exponent), name); is {
			return text
		}
	}
	return "" // it is whole in the last of them
}

// in writes it in a unit, if it is a whole number of that.
func (q quantity) in(unit *big.Int, name string) (string, bool) {
	n, left := new(big.Int).QuoRem(q.nano, unit, new(big.Int))
	return n.String() + name, left.Sign() == 0
}

// parseTimes reads 2x or 1.5x.
func parseTimes(s string) (times, error) {
	digits, ok := strings.CutSuffix(s, "x")
	n, places, read := decimal(digits)
	if !ok || !read || n.Sign() == 0 || ceiling(n, power(10, places)).Cmp(big.NewInt(mostTimes)) > 0 {
		return times{}, fmt.Errorf("%q is not how many times as much, up to %dx", short(s), mostTimes)
	}
	return times{n, places}, nil
}

const mostTimes = 1000
