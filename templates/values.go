package templates

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
)

// basic gives a value that can be compared as one of six types, and nil of the others. A
// number of a JSON text is a text: it stays as it is written.
func basic(v any) any {
	switch v := v.(type) {
	case bool, int64, float64, complex128, string:
		return v
	case int:
		return int64(v)
	case uint8: // of a text
		return int64(v)
	case json.Number:
		return string(v)
	case null:
		return string(v)
	}
	return nil
}

// truth tells whether a value is anything but the zero one of its type.
func truth(v any) bool {
	switch b := basic(v).(type) {
	case bool:
		return b
	case int64:
		return b != 0
	case float64:
		return b != 0
	case complex128:
		return b != 0
	}
	n, err := length(v)
	return v != nil && (n > 0 || err != nil)
}

// length is of what has one.
func length(v any) (int, error) {
	switch v := v.(type) {
	case object:
		return len(v), nil
	case list:
		return len(v), nil
	case []string:
		return len(v), nil
	}
	if text, ok := basic(v).(string); ok {
		return len(text), nil
	}
	return 0, fmt.Errorf("len of type %T", v)
}

var (
	errBadComparison = errors.New("invalid type for comparison")
	errNoComparison  = errors.New("missing argument for comparison")
)

// equal tells whether the first of the values is one of the others.
func equal(values ...any) (bool, error) {
	if len(values) < 2 {
		return false, errNoComparison
	}
	for _, v := range values[1:] {
		if same, err := same(values[0], v); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

func same(a, b any) (bool, error) {
	x, y := basic(a), basic(b)
	switch {
	case a == nil || b == nil:
		return a == nil && b == nil, nil
	case reflect.TypeOf(x) != reflect.TypeOf(y):
		return false, fmt.Errorf("incompatible types for comparison: %T and %T", a, b)
	case x == nil:
		return false, fmt.Errorf("non-comparable type %s: %T", b, b)
	}
	return x == y, nil
}

// order is negative, 0 or positive as a comes before b, is b, or comes behind it.
func order(a, b any) (int, error) {
	x, y := basic(a), basic(b)
	if x == nil || y == nil {
		return 0, errBadComparison
	}
	if reflect.TypeOf(x) != reflect.TypeOf(y) {
		return 0, fmt.Errorf("incompatible types for comparison: %T and %T", a, b)
	}
	switch x := x.(type) {
	case int64:
		return cmp.Compare(x, y.(int64)), nil
	case float64:
		return cmp.Compare(x, y.(float64)), nil
	case string:
		return cmp.Compare(x, y.(string)), nil
	}
	return 0, errBadComparison
}

// slice gives a part of a text or a list: from, to, and of a list how much of it can be
// had back by another slice.
func slice(of any, at ...any) (any, error) {
	switch v := of.(type) {
	case nil:
		return nil, errors.New("slice of untyped nil")
	case string:
		return sliceText(v, at)
	case json.Number:
		return sliceText(v, at)
	case null:
		return sliceText(v, at)
	case []string:
		return sliceList(v, at)
	case list:
		return sliceList(v, at)
	}
	return nil, fmt.Errorf("can't slice item of type %T", of)
}

func sliceText[T ~string](s T, at []any) (any, error) {
	if len(at) == 3 {
		return nil, errors.New("cannot 3-index slice a string")
	}
	n, err := indexes(at, len(s), len(s))
	if err != nil {
		return nil, err
	}
	return s[n[0]:n[1]], nil
}

func sliceList[T any, L ~[]T](l L, at []any) (any, error) {
	n, err := indexes(at, len(l), cap(l))
	if err != nil {
		return nil, err
	}
	if len(at) < 3 {
		return l[n[0]:n[1]], nil
	}
	return l[n[0]:n[1]:n[2]], nil
}

// indexes gives the numbers of a slice, none of them above most, in order.
func indexes(at []any, length, most int) (n [3]int, err error) {
	if len(at) > 3 {
		return n, fmt.Errorf("too many slice indexes: %d", len(at))
	}
	n[1] = length
	for i, v := range at {
		x, ok := basic(v).(int64)
		switch {
		case v == nil:
			return n, errors.New("cannot index slice/array with nil")
		case !ok:
			return n, fmt.Errorf("cannot index slice/array with type %T", v)
		case x < 0 || x > int64(most):
			return n, fmt.Errorf("index out of range: %d", x)
		}
		n[i] = int(x)
	}
	switch {
	case n[0] > n[1]:
		return n, fmt.Errorf("invalid slice index: %d > %d", n[0], n[1])
	case len(at) == 3 && n[1] > n[2]:
		return n, fmt.Errorf("invalid slice index: %d > %d", n[1], n[2])
	}
	return n, nil
}

// elements gives what a range goes through, with indexes: the elements of a list, an
// object's by their names, or the numbers before one, which have none.
func elements(of any, variables int) (iter.Seq2[any, any], error) {
	if _, ok := basic(of).(int64); ok && variables > 1 {
		return nil, fmt.Errorf("can't use %v to iterate over more than one variable", of)
	}
	switch v := of.(type) {
	case nil:
		return func(func(any, any) bool) {}, nil
	case int:
		return numbers(v), nil
	case int64:
		return numbers(v), nil
	case uint8:
		return numbers(v), nil
	case []string:
		return members(v), nil
	case list:
		return members(v), nil
	case object:
		return func(yield func(any, any) bool) {
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if !yield(name, v[name]) {
					return
				}
			}
		}, nil
	}
	return nil, fmt.Errorf("range can't iterate over %v", of)
}

func numbers[T int | int64 | uint8](n T) iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		for i := T(0); i < n; i++ {
			if !yield(nil, i) {
				return
			}
		}
	}
}

func members[T any](l []T) iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		for i, v := range l {
			if !yield(i, v) {
				return
			}
		}
	}
}
