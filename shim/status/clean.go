package status

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean gives a text that is safe to print on a terminal. All that came from a
// command's output is hostile: what would move the cursor, change the title, turn the
// writing round or hide a piece is taken out. Line breaks and tabs stay.
func Clean(s string) string {
	var b strings.Builder
	for s != "" {
		if n := sequence(s); n > 0 {
			s = s[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == utf8.RuneError && size == 1:
			b.WriteRune(utf8.RuneError)
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
		default:
			b.WriteRune(r)
		}
		s = s[size:]
	}
	return b.String()
}

const (
	esc = "\x1b"
	bel = "\a"
)

// sequence gives the length of the escape sequence that a text begins with, 0 for none
// (ECMA-48: ESC [ up to a final byte; ESC ], P, X, ^ or _ up to BEL or ESC \; ESC and
// one character).
func sequence(s string) int {
	if !strings.HasPrefix(s, esc) {
		return 0
	}
	if len(s) == 1 {
		return 1
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] < 0x20 || s[i] > 0x3f { // the final byte, or what is no sequence
				if s[i] >= 0x40 && s[i] <= 0x7e {
					i++
				}
				return i
			}
		}
		return len(s)
	case ']', 'P', 'X', '^', '_':
		end := strings.IndexAny(s[2:], esc+bel+"\n")
		switch {
		case end < 0:
			return len(s)
		case strings.HasPrefix(s[2+end:], esc+`\`):
			return end + 4
		case s[2+end] == bel[0]:
			return end + 3
		}
		return 2 + end
	}
	_, size := utf8.DecodeRuneInString(s[1:])
	if s[1] < 0x20 {
		size = 0
	}
	return 1 + size
}

// wide is how many columns a character takes: East Asian ones and pictures take two.
func wide(r rune) int {
	switch {
	case unicode.Is(unicode.Mn, r):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// cut gives as much of a line as fits into so many columns.
func cut(s string, width int) string {
	cols, fits := 0, 0 // fits is where … would go
	for at, r := range s {
		if cols <= width-1 {
			fits = at
		}
		if cols += wide(r); cols > width {
			if width < 1 {
				return ""
			}
			return s[:fits] + "…"
		}
	}
	return s
}
