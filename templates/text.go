package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// sized refuses a text that no word can be, so that a loop can't eat the memory.
func sized(s string) (string, error) {
	if len(s) > maxOutput {
		return "", errTooLong()
	}
	return s, nil
}

// format is Go's Sprintf, but what fmt writes into the text as a complaint, such
// as %!d(string=3), is an error here: a command would be run with it.
func format(layout string, args ...any) (string, error) {
	s := fmt.Sprintf(layout, args...)
	at := strings.Index(s, "%!")
	if at < 0 || strings.Contains(layout, "%%!") {
		return sized(s)
	}
	for _, a := range args {
		if strings.Contains(fmt.Sprint(a), "%!") {
			return sized(s)
		}
	}
	return "", &Error{Kind: BadForItem, Cause: fmt.Errorf("printf %q gives %s", layout, s[at:]),
		Hint: "env, file and secret give text, for %s; add 0 makes a number of it, for %d"}
}

func replace(was, now, s string) (string, error) {
	grown := int64(len(s)) + int64(strings.Count(s, was))*int64(len(now)-len(was))
	if grown > maxOutput {
		return "", errTooLong()
	}
	return strings.ReplaceAll(s, was, now), nil
}

func join(sep string, list any) (string, error) {
	r := reflect.ValueOf(list)
	if r.Kind() != reflect.Slice && r.Kind() != reflect.Array {
		return "", errors.New("join: not a list")
	}
	parts := make([]string, r.Len())
	size := int64(len(sep)) * int64(len(parts))
	for i := range parts {
		parts[i] = fmt.Sprint(r.Index(i).Interface())
		size += int64(len(parts[i]))
	}
	if size > maxOutput {
		return "", errTooLong()
	}
	return strings.Join(parts, sep), nil
}

func toJSON(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return sized(strings.TrimSuffix(b.String(), "\n"))
}

// Quote gives s as a POSIX shell reads it back: as it is where no character is
// special, else in single quotes (POSIX.1-2024, Shell Command Language, 2.2.2).
func Quote(s string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%+=:,./_-", r))
	}
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Line gives words as a line that a POSIX shell reads as just these words.
func Line(words []string) string { return string(AppendLine(nil, words)) }

// AppendLine adds words to such a line.
func AppendLine(line []byte, words []string) []byte {
	for _, w := range words {
		if len(line) > 0 {
			line = append(line, ' ')
		}
		line = append(line, Quote(w)...)
	}
	return line
}
