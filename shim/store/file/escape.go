//go:build !windows

package file

import (
	"fmt"
	"strconv"
	"strings"
)

// Keys are paths as they stand, so that a person finds the files and nth finds
// theirs. Only what can't be a name is written as __0x2e__ (the code point in
// hexadecimal, as gocloud's own driver does it): a segment that is empty, . or ..,
// a NUL, a name that means a temporary file, and the text __0x itself.
const escaped = "__0x"

func escape(key string) string {
	segments := strings.Split(key, "/")
	for i, s := range segments {
		segments[i] = escapeSegment(s)
	}
	return strings.Join(segments, "/")
}

func escapeSegment(s string) string {
	if strings.Contains(s, escaped) { // which a listing asks of each name
		s = strings.ReplaceAll(s, escaped, code('_')+"_0x")
	}
	if strings.Contains(s, "\x00") {
		s = strings.ReplaceAll(s, "\x00", code(0))
	}
	switch {
	case s == "":
		return escaped + "__"
	case s == ".", s == "..", strings.HasPrefix(s, temporary):
		return code('.') + s[1:]
	}
	return s
}

func code(r rune) string { return fmt.Sprintf("%s%x__", escaped, r) }

func unescapeSegment(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, escaped)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		hex, after, closed := strings.Cut(rest, "__")
		n, err := strconv.ParseUint(hex, 16, 21)
		switch {
		case closed && hex == "":
			s = after
		case closed && err == nil:
			b.WriteRune(rune(n))
			s = after
		default: // not written by nth
			b.WriteString(escaped)
			s = rest
		}
	}
}
