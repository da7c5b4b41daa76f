package azure

import (
	"fmt"
	"strconv"
	"strings"
)

// What Azure can't keep in a name stands as __0x2e__ (the code point in hexadecimal,
// as gocloud's driver writes it): control characters, which no URL path may have
// there; the backslash, which becomes a slash; a dot at the end of a segment and a
// slash at the end of a name, which get lost; what XML can't say; and the text __0x
// itself (Azure, "Naming and referencing containers, blobs, and metadata").
const escaped = "__0x"

// escapeKey gives a blob's name.
func escapeKey(key string) string { return escapeName(key, true) }

// escapePrefix gives the beginning of names: how its last segment goes on is open.
func escapePrefix(prefix string) string { return escapeName(prefix, false) }

func escapeName(s string, whole bool) string {
	s = strings.ReplaceAll(s, escaped, code('_')+escaped[1:])
	var b strings.Builder
	for i, r := range s {
		rest := s[i+1:]
		last := whole && rest == ""
		switch {
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\\' || r == 0xfffe || r == 0xffff,
			r == '/' && last, r == '.' && (last || strings.HasPrefix(rest, "/")):
			b.WriteString(code(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func code(r rune) string { return fmt.Sprintf("%s%x__", escaped, r) }

// unescapeKey gives the key of a blob's name; what nth didn't write stays as it is.
func unescapeKey(name string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(name, escaped)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		hex, after, closed := strings.Cut(rest, "__")
		if n, err := strconv.ParseUint(hex, 16, 21); closed && err == nil {
			b.WriteRune(rune(n))
			name = after
		} else {
			b.WriteString(escaped)
			name = rest
		}
	}
}
