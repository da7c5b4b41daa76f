package markup

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// unspace is a text without the white space before it.
func unspace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t' || s[0] == '\r' || s[0] == '\n') {
		s = s[1:]
	}
	return s
}

// newlines are normalised (XML 1.0, section 2.11).
func newlines() *strings.Replacer { return strings.NewReplacer("\r\n", "\n", "\r", "\n") }

func normal(raw string) string {
	if strings.IndexByte(raw, '\r') < 0 {
		return raw
	}
	return newlines().Replace(raw)
}

func entity(name string) (text string, known bool) {
	switch name {
	case "lt":
		return "<", true
	case "gt":
		return ">", true
	case "amp":
		return "&", true
	case "apos":
		return "'", true
	case "quot":
		return `"`, true
	}
	return "", false
}

// unescape gives text with its references replaced: itself, where there is nothing to be
// replaced, as in nearly all of a listing of thousands.
func unescape(raw string) (string, error) {
	if strings.IndexByte(raw, '&') < 0 {
		return normal(raw), nil
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(raw, "&")
		out.WriteString(normal(before))
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, ";")
		if !closed {
			return "", errSyntax
		}
		text, known := entity(name)
		if digits, ok := strings.CutPrefix(name, "#"); ok {
			text, known = character(digits)
		}
		if !known {
			return "", errSyntax
		}
		out.WriteString(text)
		raw = after
	}
}

// character gives the text of &#NN; or &#xNN;.
func character(digits string) (string, bool) {
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	return string(rune(n)), err == nil && utf8.ValidRune(rune(n))
}

// Escape gives text as it stands in a document.
func Escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(text)
}
