package manifest

import (
	"fmt"
	"strconv"
	"strings"
)

// formatYAML gives the tree as YAML, with its comments. Of YAML it uses the least that
// people read well: a text is plain only where no YAML of any version takes it for
// something else.
func formatYAML(o object) []byte {
	var y yaml
	y.object(o, 0)
	return []byte(y.String())
}

// yaml is written in blocks, each two columns further in than what holds it.
type yaml struct{ strings.Builder }

func (y *yaml) line(indent int, text string) {
	y.WriteString(strings.Repeat(" ", indent) + text + "\n")
}

func (y *yaml) object(o object, indent int) {
	for i, f := range o {
		if f.above != "" {
			y.line(indent, "# "+f.above)
		}
		y.entry(y.start(i, indent), f, indent)
	}
}

// start gives what a line begins with. The first field of an object in a list stands
// behind the dash, which is written already.
func (y *yaml) start(i, indent int) string {
	if i == 0 && strings.HasSuffix(y.String(), "- ") {
		return ""
	}
	return strings.Repeat(" ", indent)
}

func (y *yaml) entry(start string, f field, indent int) {
	y.WriteString(start + text(f.key, false) + ":")
	if f.note != "" && nested(f.value) {
		y.WriteString(" # " + f.note)
	}
	y.value(f.value, indent)
	if f.note != "" && !nested(f.value) {
		y.WriteString(" # " + f.note)
	}
	y.end()
}

// nested tells whether a value has lines of its own.
func nested(value any) bool {
	switch value.(type) {
	case object, list:
		return !empty(value)
	}
	return false
}

// value writes what stands behind a colon or a dash.
func (y *yaml) value(value any, indent int) {
	switch v := value.(type) {
	case object:
		if len(v) > 0 {
			y.end()
			y.object(v, indent+2)
			return
		}
	case list:
		if len(v) > 0 {
			y.end()
			y.list(v, indent+2)
			return
		}
	case string:
		if block(v) {
			y.block(v, indent+2)
			return
		}
	}
	y.WriteString(" " + inline(value, false))
}

// end ends a line that hasn't ended.
func (y *yaml) end() {
	if !strings.HasSuffix(y.String(), "\n") {
		y.WriteByte('\n')
	}
}

func (y *yaml) list(l list, indent int) {
	for _, v := range l {
		y.WriteString(strings.Repeat(" ", indent) + "-")
		if o, ok := v.(object); ok && len(o) > 0 {
			y.WriteByte(' ')
			y.object(o, indent+2)
			continue
		}
		y.value(v, indent)
		y.end()
	}
}

// block tells whether a text is lines that are best read as such.
func block(s string) bool {
	body := strings.TrimSuffix(s, "\n")
	return strings.Contains(body, "\n") && printable(strings.ReplaceAll(body, "\n", "")) &&
		!strings.HasSuffix(body, "\n") && !strings.HasPrefix(body, "\n") && !strings.HasPrefix(body, " ")
}

// block writes lines as they are.
func (y *yaml) block(s string, indent int) {
	body, ended := strings.CutSuffix(s, "\n")
	y.WriteString(" |")
	if !ended {
		y.WriteByte('-')
	}
	y.end()
	for line := range strings.SplitSeq(body, "\n") {
		if line != "" {
			y.line(indent, line)
		} else {
			y.WriteByte('\n')
		}
	}
}

// inline gives a value in one line; flow says that it stands within brackets.
func inline(v any, flow bool) string {
	switch v := v.(type) {
	case string:
		return text(v, flow)
	case word:
		return quoted(string(v))
	case line:
		return inline(v.value, flow)
	case object:
		if len(v) == 0 {
			return "{}"
		}
		parts := make([]string, len(v))
		for i, f := range v {
			parts[i] = text(f.key, true) + ": " + inline(f.value, true)
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case list:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = inline(e, true)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(v) // int64 and bool are in YAML what they are in Go
}

// text gives a text as YAML reads it: plain, in single quotes where that is easier to
// read, else in double quotes.
func text(s string, flow bool) string {
	switch {
	case plain(s, flow):
		return s
	case strings.ContainsAny(s, `"\`) && printable(s):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return quoted(s)
}

// reserved are the words that one YAML or another takes for a bool or for nothing.
const reserved = " y n yes no on off true false null "

// plain texts begin with a letter or a slash, so that they are no number, and hold
// letters, digits and what has no meaning in YAML wherever it stands.
func plain(s string, flow bool) bool {
	if s == "" || !letter(s[0]) && s[0] != '/' || strings.Contains(reserved, " "+strings.ToLower(s)+" ") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		inner := c == ':' && !flow && i+1 < len(s) && (letter(s[i+1]) || digit(s[i+1]))
		if !letter(c) && !digit(c) && !inner && !strings.ContainsRune("._/-", rune(c)) {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// printable tells whether a text is printable ASCII.
func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// quoted gives a text in double quotes. What isn't printable is escaped, which YAML's
// readers refuse as it is.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
