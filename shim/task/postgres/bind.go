package postgres

import (
	"fmt"
	"strings"

	"nth/shim/task/statements"
)

// Bind makes one statement of the pieces of text between which values stand: the nth
// value is the parameter $n, and never text. Errors are *contract.Error: where a value
// can't stand, and for what isn't one statement, closed and whole.
func Bind(pieces []string) (string, error) {
	var sql strings.Builder
	var l lexer
	scan := func(piece string) (*quotation, error) {
		inside, err := l.scan(piece)
		sql.WriteString(piece)
		return inside, err
	}
	value := func(n int) error {
		fmt.Fprintf(&sql, " $%d ", n)
		return l.word("")
	}
	if err := statements.Bind(pieces, scan, value); err != nil {
		return "", err
	}
	if l.first == "" {
		return "", statements.Refuse("", "there is no statement in it")
	}
	return sql.String(), nil
}

// quotation is what hides text from the parser of SQL.
type quotation = statements.Quotation

const hintQuoted = "take the quotes away: a << >> is a value by itself; with text it is put together as 'text' || <<…>>"

var (
	text         = quotation{Name: "a text in quotes", Hint: hintQuoted}
	dollarText   = quotation{Name: "a text in dollar quotes", Hint: hintQuoted}
	identifier   = quotation{Name: "a name in quotes", Hint: "a << >> is a value, and can't be a name"}
	blockComment = quotation{Name: "a comment", Hint: "take it out of the comment"}
)

// lexer is what is known of a statement so far.
type lexer struct {
	first string // its first word
	ended bool   // by a semicolon
}

// verbs are what a statement about a task may begin with. Others give no rows, end the
// transaction, or need an exchange of their own (COPY).
const verbs = "SELECT INSERT UPDATE DELETE WITH"

// word is a token that isn't hidden.
func (l *lexer) word(w string) error {
	switch {
	case l.ended:
		return statements.Refuse("it is one statement, with WITH in front where there is more to do", "there is more behind the semicolon")
	case l.first == "" && !strings.Contains(" "+verbs+" ", " "+strings.ToUpper(w)+" "):
		return statements.Refuse("", "it begins with none of %s", verbs)
	case l.first == "":
		l.first = w
	}
	return nil
}

// scan goes through one piece, which begins outside of quotes and comments, as the
// server does (PostgreSQL's documentation, section 4.1), and gives what is still open
// at its end.
func (l *lexer) scan(sql string) (inside *quotation, err error) {
	for sql != "" {
		n, in := 0, (*quotation)(nil)
		switch c := sql[0]; {
		case strings.IndexByte(" \t\n\r\f\v", c) >= 0:
			sql = sql[1:]
			continue
		case strings.HasPrefix(sql, "--"):
			if n = strings.IndexAny(sql, "\n\r"); n < 0 {
				return &statements.LineComment, nil
			}
			sql = sql[n:]
			continue
		case strings.HasPrefix(sql, "/*"):
			if n = comment(sql); n < 0 {
				return &blockComment, nil
			}
			sql = sql[n:]
			continue
		case c == ';':
			if l.first == "" {
				return nil, statements.Refuse("", "there is no statement before the semicolon")
			}
			l.ended = true
			sql = sql[1:]
			continue
		case (c == 'e' || c == 'E') && strings.HasPrefix(sql[1:], "'"):
			n, in = escaped(sql), &text
		case c == '\'':
			n, in = quoted(sql, c), &text
		case c == '"':
			n, in = quoted(sql, c), &identifier
		case c == '$':
			if n, in = dollars(sql), &dollarText; n == 0 {
				return nil, statements.Refuse("write <<.Index>> and so on, and nth numbers them", "a $ is no part of it: parameters have no numbers of their own")
			}
		case begins(c):
			n = 1 + statements.Span(sql[1:], func(c byte) bool { return begins(c) || digit(c) || c == '$' })
		default:
			n = 1 + statements.Span(sql[1:], func(d byte) bool { return digit(c) && digit(d) })
		}
		if err := l.word(sql[:max(n, 0)]); err != nil {
			return nil, err
		}
		if n < 0 {
			return in, nil
		}
		sql = sql[n:]
	}
	return nil, nil
}

func begins(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// quoted gives the length of what begins and ends with a quotation mark; a doubled one
// ends what another one begins. Negative: it isn't closed.
func quoted(s string, mark byte) int {
	if n := strings.IndexByte(s[1:], mark); n >= 0 {
		return n + 2
	}
	return -1
}

// escaped is quoted for E'…', in which a backslash takes the next character's meaning
// away, also in the parts that follow on lines of their own.
func escaped(s string) int {
	n := 2
	for n < len(s) {
		switch s[n] {
		case '\\':
			n += 2
			continue
		case '\'':
			more := continued(s[n+1:])
			if more < 0 {
				return n + 1
			}
			n += more
		}
		n++
	}
	return -1
}

// continued is how far it is behind the mark of a closed text to behind that of its next
// part: at once, as it is doubled, or on another line. Negative: there is none.
func continued(s string) int {
	n, line := 0, false
	for n < len(s) {
		switch {
		case s[n] == '\'' && (n == 0 || line):
			return n + 1
		case s[n] == '\n' || s[n] == '\r':
			line = true
		case strings.HasPrefix(s[n:], "--"):
			n += statements.Span(s[n:], func(c byte) bool { return c != '\n' && c != '\r' })
			continue
		case strings.IndexByte(" \t\f\v", s[n]) < 0:
			return -1
		}
		n++
	}
	return -1
}

// comment gives the length of one that may have others inside; negative: it isn't closed.
func comment(s string) int {
	for n, depth := 0, 0; n < len(s)-1; {
		switch s[n : n+2] {
		case "/*":
			depth++
			n += 2
		case "*/":
			n += 2
			if depth--; depth == 0 {
				return n
			}
		default:
			n++
		}
	}
	return -1
}

// dollars gives the length of $tag$…$tag$; zero: it isn't one.
func dollars(s string) int {
	n := 1
	if n < len(s) && begins(s[n]) {
		n += statements.Span(s[n:], func(c byte) bool { return begins(c) || digit(c) })
	}
	if n >= len(s) || s[n] != '$' {
		return 0
	}
	tag := s[:n+1]
	end := strings.Index(s[len(tag):], tag)
	if end < 0 {
		return -1
	}
	return end + 2*len(tag)
}
