package templates

import (
	"errors"
	"net/url"
	"strings"
)

// position is where in a URL something stands (RFC 3986, section 3).
type position int

const (
	inScheme position = iota
	inHost            // with its user and port
	inPath
	inName // of a parameter
	inValue
	inFragment
)

// urlText is a URL that is put together from its beginning to its end.
type urlText struct {
	strings.Builder
	at      position
	segment int   // where in the text the last part of the path begins
	valued  bool  // a value is in that part
	kind    Kind  // of that
	lenient bool  // it is only to be shown: whatever isn't known is in it by another name
	named   bool  // names of secrets stand in it, as they are
	emptied bool  // an item's value that is empty is in it
	wrong   error // of the first part that no value may make
}

const (
	hintWhole = "write scheme and host into the template, or let it be nothing but the one value that is all of the URL"
	hintDots  = "a value can't lead to another directory, nor to the directory itself"
	hintName  = "write name=<<…>>: a value is a parameter's value"
)

// errEmpty: the directory would be found where the file is meant.
var errEmpty = errors.New("a value is empty that is all of a part of the path")

// text adds what is syntax; value tells that it is a value that is all of the URL.
func (u *urlText) text(s string, value bool) {
	u.Grow(len(s))
	for i := range len(s) {
		c := s[i]
		if u.at == inPath && (c == '/' || c == '?' || c == '#') {
			u.endSegment()
		}
		u.WriteByte(c)
		u.step(c)
		u.valued = u.valued || value
	}
}

// step tells where what follows a byte is.
func (u *urlText) step(c byte) {
	switch {
	case u.at == inScheme:
		if strings.HasSuffix(u.String(), "://") {
			u.at = inHost
		}
	case c == '#':
		u.at = inFragment
	case u.at == inFragment:
	case c == '/' && (u.at == inHost || u.at == inPath):
		u.at, u.segment, u.valued, u.emptied = inPath, u.Len(), false, false
	case c == '?' && (u.at == inHost || u.at == inPath):
		u.at = inName
	case c == '=' && u.at == inName:
		u.at = inValue
	case c == '&' && u.at == inValue:
		u.at = inName
	}
}

// value adds a value.
func (u *urlText) value(v value) *Error {
	if u.at == inHost && v.item && u.hostEnds() && strings.HasPrefix(v.text, "/") {
		u.text("/", false)
		v.text = v.text[1:]
	}
	switch {
	case (u.at == inPath || u.at == inValue) && u.halfEscape():
		return &Error{Kind: Syntax, Cause: errors.New("a % stands before a value"), Hint: "write %25 for a percent sign"}
	case u.at == inPath:
		u.path(u.escaped(v.text, escapePath))
		u.emptied = u.emptied || v.item && v.text == ""
	case u.at == inValue:
		u.WriteString(u.escaped(v.text, url.QueryEscape))
	case !v.item && v.escaped && u.at == inHost: // a password, whatever is in it
		u.WriteString(u.escaped(v.text, escapeUser))
	case !v.item:
		u.text(v.text, false)
	case u.lenient:
		u.WriteString(u.escaped(v.text, escapePath))
	default:
		return u.misplaced()
	}
	return nil
}

// misplaced is the error for an item's value that would be syntax.
func (u *urlText) misplaced() *Error {
	e := &Error{Kind: Syntax, Hint: hintWhole}
	switch u.at {
	case inScheme:
		e.Cause = errors.New("an item's value can't be the beginning of a URL")
	case inHost:
		e.Cause = errors.New("an item's value can't be a URL's host")
		if u.hostEnds() {
			e.Kind, e.Hint = BadForItem, "a value there begins with a slash"
		}
	case inFragment:
		e.Cause, e.Hint = errors.New("an item's value can't be a URL's fragment"), "write %23 for a #"
	default:
		e.Cause, e.Hint = errors.New("an item's value can't name a URL's parameter"), hintName
	}
	return e
}

// hostEnds tells whether a slash may follow: a host is there, or needn't be.
func (u *urlText) hostEnds() bool {
	s := u.String()
	return s == "file://" || !strings.HasSuffix(s, "://")
}

// halfEscape tells whether the text ends amid a code such as %20, which a value would make
// another of.
func (u *urlText) halfEscape() bool {
	s := u.String()
	return strings.Contains(s[max(len(s)-2, 0):], "%")
}

// path adds an escaped value to the path.
func (u *urlText) path(s string) {
	for i, part := range strings.Split(s, "/") {
		if i > 0 {
			u.endSegment()
			u.WriteByte('/')
			u.step('/')
		}
		u.WriteString(part)
		u.valued = true
	}
}

// endSegment looks at the part of a path that ends here.
func (u *urlText) endSegment() {
	part, err := url.PathUnescape(u.String()[u.segment:])
	switch {
	case err != nil || u.wrong != nil:
	case u.valued && (part == "." || part == ".."):
		u.wrong = errors.New("a value makes . or .. of a part of the path")
	case u.emptied && part == "":
		u.wrong = errEmpty
	}
}

// end gives the URL.
func (u *urlText) end() (string, error) {
	if u.at == inPath {
		u.endSegment()
	}
	if u.wrong != nil && !u.lenient {
		return "", &Error{Kind: u.kind, Cause: u.wrong, Hint: hintDots}
	}
	return u.String(), nil
}

// escaped escapes a value but for the names of secrets, where they stand for them.
func (u *urlText) escaped(s string, escape func(string) string) string {
	if !u.named {
		return escape(s)
	}
	begin, end := placeholder("\x00"), ""
	begin, end, _ = strings.Cut(begin, "\x00")
	before, rest, found := strings.Cut(s, begin)
	name, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return escape(s)
	}
	return escape(before) + placeholder(name) + u.escaped(after, escape)
}

// escapeUser escapes all that means something in a URL's user or password.
func escapeUser(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// escapePath escapes all but slashes, and what means nothing in a path. It is the form
// that Forms has of a secret. (A single star is left as it is by net/url, for it is the
// target of an OPTIONS request; here it would be a glob.)
func escapePath(s string) string {
	if s == "*" {
		return "%2A"
	}
	return (&url.URL{Path: s}).EscapedPath()
}
