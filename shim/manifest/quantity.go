package manifest

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// quantity is how much of a resource there is, such as 500m or 2Gi, exactly.
type quantity struct {
	of     *big.Rat
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
	maxExponent = 18
	maxDigits   = 40
)

// maxQuantity is the greatest that Kubernetes keeps.
var maxQuantity = new(big.Rat).SetInt64(1<<63 - 1)

// parseQuantity reads one as Kubernetes does: a number, and behind it one of the suffixes,
// or an exponent as in 12e6.
func parseQuantity(s string) (quantity, error) {
	number := len(s) - len(strings.TrimLeft(s, "0123456789."))
	digits, suffix := s[:number], s[number:]
	n, ok := decimal(digits)
	factor, binary, known := factorOf(suffix)
	switch {
	case !ok || !known:
		return quantity{}, fmt.Errorf("%q is no quantity", short(s))
	case n.Mul(n, factor).Cmp(maxQuantity) > 0:
		return quantity{}, fmt.Errorf("%q is more than Kubernetes takes", short(s))
	}
	return quantity{n, binary}, nil
}

// short is as much of what was given as is said.
func short(s string) string { return s[:min(len(s), 2*maxDigits)] }

// decimal reads 1, 1.5, 1. or .5.
func decimal(digits string) (*big.Rat, bool) {
	if len(digits) > maxDigits || strings.Count(digits, ".") > 1 || strings.Trim(digits, ".") == "" || strings.Trim(digits, "0123456789.") != "" {
		return nil, false
	}
	whole, part, _ := strings.Cut(digits, ".")
	n, ok := new(big.Int).SetString(whole+part, 10)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetFrac(n, power(10, len(part))), true
}

// factorOf gives what a suffix multiplies by.
func factorOf(suffix string) (factor *big.Rat, binary, known bool) {
	for i, name := range binarySuffixes {
		if suffix == name {
			return new(big.Rat).SetInt(power(1024, len(binarySuffixes)-i)), true, true
		}
	}
	for i, name := range decimalSuffixes {
		if suffix == name {
			return powerOfTen(maxExponent - 3*i), false, true
		}
	}
	if suffix == "" || suffix[0] != 'e' && suffix[0] != 'E' {
		return nil, false, false
	}
	e, err := strconv.ParseInt(suffix[1:], 10, 8)
	if err != nil || e < -maxDigits || e > maxExponent {
		return nil, false, false
	}
	return powerOfTen(int(e)), false, true
}

func power(base int64, n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(n)), nil)
}

func powerOfTen(e int) *big.Rat {
	if e < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), power(10, -e))
	}
	return new(big.Rat).SetInt(power(10, e))
}

// times gives so many times as much, rounded up: of memory, whole MiB or MB where it is so
// much, else bytes; of CPU, thousandths.
func (q quantity) times(n *big.Rat, resource string) quantity {
	unit := big.NewRat(1, 1000)
	if resource != "cpu" {
		unit.SetInt64(1)
		for _, larger := range []int64{1 << 20, 1e6} {
			if u := new(big.Rat).SetInt64(larger); (larger == 1<<20) == q.binary && q.of.Cmp(u) >= 0 {
				unit = u
			}
		}
	}
	units := new(big.Rat).Quo(new(big.Rat).Mul(q.of, n), unit)
	return quantity{units.Mul(new(big.Rat).SetInt(ceiling(units)), unit), q.binary && resource != "cpu"}
}

// ceiling gives the least whole number that isn't less.
func ceiling(r *big.Rat) *big.Int {
	up := new(big.Int).Add(r.Num(), new(big.Int).Sub(r.Denom(), big.NewInt(1)))
	return up.Quo(up, r.Denom())
}

// String writes it as Kubernetes does: a whole number of the largest unit in which it is
// one. What is less than a billionth is rounded up to one.
func (q quantity) String() string {
	if q.of.Sign() == 0 {
		return "0"
	}
	if q.binary {
		for i, name := range binarySuffixes {
			if n := new(big.Rat).Quo(q.of, new(big.Rat).SetInt(power(1024, len(binarySuffixes)-i))); n.IsInt() {
				return n.Num().String() + name
			}
		}
	}
	for i, name := range decimalSuffixes {
		if q.binary && name != "" && i < len(decimalSuffixes)/2 {
			continue // 1000 is no kilo there
		}
		if n := new(big.Rat).Quo(q.of, powerOfTen(maxExponent-3*i)); n.IsInt() {
			return n.Num().String() + name
		}
	}
	return ceiling(new(big.Rat).Quo(q.of, powerOfTen(-9))).String() + "n"
}

// parseTimes reads 2x or 1.5x.
func parseTimes(s string) (*big.Rat, error) {
	digits, ok := strings.CutSuffix(s, "x")
	n, read := decimal(digits)
	if !ok || !read || n.Sign() == 0 || n.Cmp(big.NewRat(mostTimes, 1)) > 0 {
		return nil, fmt.Errorf("%q is not how many times as much, up to %dx", short(s), mostTimes)
	}
	return n, nil
}

const mostTimes = 1000
