package templates

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"strconv"
	"strings"
)

var errOverflow = errors.New("the number is out of range (64 bits)")

// whole gives v as a whole number. A text counts if it is one, for that is what
// env gives; anything else is an error, never 0.
func whole(v any) (int64, error) {
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		return r.Int(), nil
	case r.CanUint():
		if r.Uint() > math.MaxInt64 {
			return 0, errOverflow
		}
		return int64(r.Uint()), nil
	case r.Kind() == reflect.String:
		n, err := strconv.ParseInt(r.String(), 10, 64)
		if errors.Is(err, strconv.ErrRange) {
			return 0, errOverflow
		}
		if err != nil {
			return 0, fmt.Errorf("%q is not a whole number", r.String())
		}
		return n, nil
	}
	return 0, fmt.Errorf("%v is not a whole number", v)
}

// fold reads all numbers and puts them together two by two.
func fold(values []any, op func(a, b int64) (int64, error)) (int64, error) {
	if len(values) == 0 {
		return 0, errors.New("no numbers given")
	}
	total, err := whole(values[0])
	for _, v := range values[1:] {
		if err != nil {
			return 0, err
		}
		var n int64
		if n, err = whole(v); err == nil {
			total, err = op(total, n)
		}
	}
	return total, err
}

func sum(values ...any) (int64, error) {
	return fold(values, func(a, b int64) (int64, error) {
		if c := a + b; (c > a) == (b > 0) {
			return c, nil
		}
		return 0, errOverflow
	})
}

func difference(a, b any) (int64, error) {
	return fold([]any{a, b}, func(a, b int64) (int64, error) {
		if c := a - b; (c < a) == (b > 0) {
			return c, nil
		}
		return 0, errOverflow
	})
}

func product(values ...any) (int64, error) {
	return fold(values, func(a, b int64) (int64, error) {
		hi, lo := bits.Mul64(magnitude(a), magnitude(b))
		negative := (a < 0) != (b < 0)
		switch {
		case hi != 0, !negative && lo > math.MaxInt64, negative && lo > 1<<63:
			return 0, errOverflow
		case negative:
			return -int64(lo), nil
		}
		return int64(lo), nil
	})
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func quotient(a, b any) (int64, error) {
	return fold([]any{a, b}, func(a, b int64) (int64, error) {
		switch {
		case b == 0:
			return 0, errors.New("division by zero")
		case a == math.MinInt64 && b == -1:
			return 0, errOverflow
		}
		return a / b, nil
	})
}

func remainder(a, b any) (int64, error) {
	return fold([]any{a, b}, func(a, b int64) (int64, error) {
		if b == 0 {
			return 0, errors.New("division by zero")
		}
		return a % b, nil
	})
}

func least(values ...any) (int64, error) {
	return fold(values, func(a, b int64) (int64, error) { return min(a, b), nil })
}

func greatest(values ...any) (int64, error) {
	return fold(values, func(a, b int64) (int64, error) { return max(a, b), nil })
}

// maxPad bounds a width, in characters: no file name is longer.
const maxPad = 255

// pad gives n with leading zeros, the sign first, in at least width characters.
func pad(width, n any) (string, error) {
	w, err := whole(width)
	if err != nil {
		return "", err
	}
	v, err := whole(n)
	if err != nil {
		return "", err
	}
	if w < 0 || w > maxPad {
		return "", fmt.Errorf("pad: the width %d is not between 0 and %d", w, maxPad)
	}
	digits := strconv.FormatUint(magnitude(v), 10)
	sign := ""
	if v < 0 {
		sign, w = "-", w-1
	}
	return sign + strings.Repeat("0", max(int(w)-len(digits), 0)) + digits, nil
}
