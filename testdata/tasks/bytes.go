package tasks

import (
	"net/http"
	"reflect"
)

// Bytes gives how many bytes of text and bytes, and how many entries of maps, a source
// remembers: all that can be reached from it, but for its connections.
func Bytes(source any) int { return weigh(reflect.ValueOf(source), map[uintptr]bool{}) }

func weigh(v reflect.Value, seen map[uintptr]bool) (n int) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*http.Client]() || v.IsNil() || seen[v.Pointer()] {
			return 0
		}
		seen[v.Pointer()] = true
		return weigh(v.Elem(), seen)
	case reflect.Interface:
		return weigh(v.Elem(), seen)
	case reflect.Struct:
		for i := range v.NumField() {
			n += weigh(v.Field(i), seen)
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			n += 1 + weigh(each.Key(), seen) + weigh(each.Value(), seen)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Len()
		}
		for i := range v.Len() {
			n += weigh(v.Index(i), seen)
		}
	case reflect.String:
		return v.Len()
	}
	return n
}
