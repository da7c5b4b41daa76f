package flags

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Said gives the flags of a struct (or of a pointer to one) that say something, each with
// what it says as text, a list with commas: a value that is neither the flag's default nor
// an empty text.
func Said(target any) map[string]string {
	list := map[string]string{}
	said(reflect.Indirect(reflect.ValueOf(target)), "", list)
	return list
}

func said(s reflect.Value, section reflect.StructTag, list map[string]string) {
	for i := range s.NumField() {
		f := s.Type().Field(i)
		switch {
		case isSection(f):
			said(s.Field(i), f.Tag, list)
		case f.Tag.Get("kong") == "-":
		default:
			if text, ok := value(s.Field(i), interpolated(f.Tag, section).Get("default")); ok {
				list["--"+flagName(flagVariable(f))] = text
			}
		}
	}
}

// value gives a flag's value as text, unless it says nothing.
func value(v reflect.Value, fallback string) (text string, ok bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "", false
		}
		return fmt.Sprint(v.Elem()), true
	case reflect.Slice:
		words := make([]string, v.Len())
		for i := range words {
			words[i] = fmt.Sprint(v.Index(i))
		}
		text = strings.Join(words, ",")
	case reflect.Bool:
		return "true", v.Bool()
	default:
		text = fmt.Sprint(v)
	}
	if d, err := time.ParseDuration(fallback); err == nil && v.Type() == reflect.TypeFor[time.Duration]() {
		return text, time.Duration(v.Int()) != d
	}
	return text, text != "" && text != fallback && (fallback != "" || !v.IsZero())
}
