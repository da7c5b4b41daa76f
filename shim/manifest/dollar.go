package manifest

import "strings"

// escape gives a text that Kubernetes turns into s. In commands, arguments and
// variables it takes $(NAME) for the value of a variable, and $$ for one dollar
// (kubernetes third_party/forked/golang/expansion/expand.go); up to 1.34 it also
// breaks a letter beyond ASCII that stands behind a dollar.
func escape(s string) string {
	if !strings.Contains(s, "$") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		if s[i] == '$' && i+1 < len(s) && (s[i+1] == '$' || s[i+1] == '(' || s[i+1] >= 0x80) {
			b.WriteByte('$')
		}
	}
	return b.String()
}
