package mysql

import (
	"database/sql/driver"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"nth/shim/task/statements"
)

// In what Bind gives stands one of these where a value does, and between two statements.
const (
	valueMark     = "\x00"
	statementMark = "\x01"
)

// Bind makes statements of the pieces of text between which values stand. Before them, their
// variables become NULL: what one had in the last call is not this one's. Errors are
// *contract.Error: where a value can't stand, and for what isn't closed and whole.
func Bind(pieces []string) (string, error) {
	var l lexer
	if err := statements.Bind(pieces, l.scan, func(int) error { return l.word(" " + valueMark + " ") }); err != nil {
		return "", err
	}
	if l.first == "" {
		return "", statements.Refuse("", "there is no statement in it")
	}
	sql := l.sql.String() + "\n"
	if len(l.variables) > 0 {
		sql = "SET " + strings.Join(l.variables, " = NULL, ") + " = NULL" + statementMark + sql
	}
	return sql, nil
}

// fill puts values into what Bind gave.
func fill(sql string, values []driver.Value) string {
	pieces := strings.Split(sql, valueMark)
	for i := range pieces[1:] {
		pieces[i] += literal(string(statements.Content(values[i])))
	}
	return strings.Join(pieces, "")
}

// literal gives a value as hexadecimal digits: it can't be anything else. Bytes that are no
// text are what they are.
func literal(s string) string {
	switch {
	case s == "":
		return "_utf8mb4 ''"
	case utf8.ValidString(s):
		return text(s)
	}
	return "_binary 0x" + hex.EncodeToString([]byte(s))
}

// quotation is what hides text from the parser of SQL.
type quotation = statements.Quotation

var (
	quotedText   = quotation{Name: "a text in quotes", Hint: "take the quotes away: a << >> is a value by itself; with text it is put together as CONCAT('text', <<…>>)"}
	identifier   = quotation{Name: "a name in quotes", Hint: "a << >> is a value, and can't be a name"}
	blockComment = quotation{Name: "a comment", Hint: "take it out of the comment"}
)

// lexer is what is known of statements so far.
type lexer struct {
	sql       strings.Builder
	first     string // the first word of the last one
	ended     bool   // it is, by a semicolon
	variables []string
}

// verbs are what a statement about a task may begin with: others give no rows, or end the
// transaction.
const verbs = "SELECT INSERT UPDATE DELETE REPLACE WITH SET CALL DO"

// word is a token that isn't hidden.
func (l *lexer) word(w string) error {
	if l.ended {
		l.ended, l.first = false, ""
		l.sql.WriteString("\n" + statementMark)
	}
	if l.first == "" {
		if l.first = w; !strings.Contains(" "+verbs+" ", " "+strings.ToUpper(w)+" ") || strings.TrimSpace(w) != w {
			return statements.Refuse("", "it begins with none of %s", verbs)
		}
	}
	l.sql.WriteString(w)
	return nil
}

// scan goes through one piece, which begins outside of quotes and comments, as the server
// does in the mode that sessions take (a backslash escapes, "…" is a text), and gives what is
// still open at its end.
func (l *lexer) scan(sql string) (inside *quotation, err error) {
	if strings.ContainsAny(sql, valueMark+statementMark) {
		return nil, statements.Refuse("", "there is a control character in it")
	}
	for sql != "" {
		n, in, hidden := 1, (*quotation)(nil), false
		switch c := sql[0]; {
		case strings.IndexByte(" \t\n\r\f\v", c) >= 0:
			hidden = true
		case c == '#', isDashes(sql):
			n, in, hidden = 1+strings.IndexByte(sql, '\n'), &statements.LineComment, true
		case strings.HasPrefix(sql, "/*!"), strings.HasPrefix(sql, "/*M!"):
			return nil, statements.Refuse("write what is in it without /*! and */", "a comment that is executed is no part of it")
		case strings.HasPrefix(sql, "/*"):
			n, in, hidden = 4+strings.Index(sql[2:], "*/"), &blockComment, true
			if n == 3 {
				n = 0
			}
		case c == ';':
			if l.first == "" {
				return nil, statements.Refuse("", "there is no statement before the semicolon")
			}
			l.ended, sql = true, sql[1:]
			continue
		case c == '\'' || c == '"':
			n, in = quoted(sql), &quotedText
		case c == '`':
			n, in = quoted(sql), &identifier
		case strings.HasPrefix(sql, "@@"):
			n = 2
		case c == '@':
			n, in = l.variable(sql)
		case part(c):
			n = statements.Span(sql, part)
		}
		token := sql[:n]
		if n == 0 { // it isn't closed
			token = sql
		}
		if hidden {
			l.sql.WriteString(token)
		} else if err := l.word(token); err != nil {
			return nil, err
		}
		if n == 0 {
			return in, nil
		}
		sql = sql[n:]
	}
	return nil, nil
}

// isDashes tells whether -- begins a comment: so it does before white space, and at the end,
// behind which a value has some.
func isDashes(sql string) bool {
	return strings.HasPrefix(sql, "--") && (len(sql) == 2 || sql[2] <= ' ' || sql[2] == 0x7f)
}

// variable gives the length of a user's variable; zero: its quotes aren't closed.
func (l *lexer) variable(sql string) (int, *quotation) {
	n := 1 + statements.Span(sql[1:], func(c byte) bool { return part(c) || c == '.' })
	if n == 1 && len(sql) > 1 && strings.IndexByte("'\"`", sql[1]) >= 0 {
		if n = quoted(sql[1:]); n == 0 {
			return 0, &identifier
		}
		n++
	}
	if name := sql[:n]; n > 1 && !slices.Contains(l.variables, name) {
		l.variables = append(l.variables, name)
	}
	return n, nil
}

// part tells whether a byte may be of a word or a number.
func part(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

// quoted gives the length of what begins and ends with a quotation mark; a doubled one ends
// what another one begins. Zero: it isn't closed.
func quoted(s string) int {
	for n := 1; n < len(s); n++ {
		switch {
		case s[n] == '\\' && s[0] != '`':
			n++
		case s[n] == s[0]:
			return n + 1
		}
	}
	return 0
}
