package templates

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable gives a value as it is shown.
func printable(v any) any {
	if v == nil {
		return "<no value>"
	}
	return v
}

// joined puts the arguments of a function that escapes together.
func joined(args []any) string {
	shown := make([]any, len(args))
	for i, a := range args {
		shown[i] = printable(a)
	}
	return fmt.Sprint(shown...)
}

func escapeHTML(s string) string {
	return strings.NewReplacer("\x00", "\uFFFD", `"`, "&#34;", "'", "&#39;", "&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// escapeJS is for a string of JavaScript.
func escapeJS(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case strings.ContainsRune(`\'"`, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || strings.ContainsRune("<>&=", r) || r >= utf8.RuneSelf && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}
