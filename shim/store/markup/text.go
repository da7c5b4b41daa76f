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

func entity(name string) (is rune, known bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	if digits, ok := strings.CutPrefix(name, "#"); ok {
		return character(digits)
	}
	return 0, false
}

// unescape gives text with its references replaced: itself, where there is nothing to be
// replaced, as in nearly all of a listing of thousands.
func unescape(raw string) (string, error) {
	raw = normal(raw)
	at := strings.IndexByte(raw, '&')
	if at < 0 {
		return raw, nil
	}
	var out strings.Builder
	for out.Grow(len(raw)); at >= 0; at = strings.IndexByte(raw, '&') {
		out.WriteString(raw[:at])
		raw = raw[at+1:]
		end := strings.IndexByte(raw, ';')
		if end < 0 {
			return "", errSyntax
		}
		is, known := entity(raw[:end])
		if !known {
			return "", errSyntax
		}
		out.WriteRune(is)
		raw = raw[end+1:]
	}
	out.WriteString(raw)
	return out.String(), nil
}

// character gives what &#NN; or &#xNN; is.
func character(digits string) (rune, bool) {
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	return rune(n), err == nil && utf8.ValidRune(rune(n))
}

// Escape gives text as it stands in a document.
func Escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(text)
}
