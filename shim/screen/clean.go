package screen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// All that nth prints for a person goes through here. What stands in a marker, a record or
// a server's answer may have been written by anybody.

// Tell writes one line, whatever is in the arguments.
func Tell(w io.Writer, format string, args ...any) {
	_, _ = io.WriteString(w, Line(fmt.Sprintf(format, args...))+"\n") // to stderr: there is nobody to tell
}

// Line gives a text that is safe to print, in one line: every run of white space that
// holds a line break is one space.
func Line(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) })
	kept := lines[:0]
	for _, line := range lines {
		if line = strings.TrimSpace(Clean(line)); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, " ")
}

// For gives what a text is shown as on w: clean on a terminal, else as it is, for another
// program.
func For(w io.Writer) func(string) string {
	if f, ok := w.(*os.File); ok {
		if _, terminal := columns(f); terminal {
			return Clean
		}
	}
	return func(s string) string { return s }
}

// Clean gives a text that is safe to print on a terminal. All that came from a
// command's output is hostile: what would move the cursor, change the title, turn the
// writing round or hide a piece is taken out. Line breaks and tabs stay.
func Clean(s string) string {
	at := 0
	for at < len(s) && (s[at] >= ' ' && s[at] <= '~' || s[at] == '\n' || s[at] == '\t') {
		at++
	}
	if at == len(s) { // as nearly every line is
		return s
	}
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
