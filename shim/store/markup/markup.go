// Package markup reads the small XML documents with which stores answer: errors,
// listings, the names of uploads. It knows elements and their text, which is all
// that they use; encoding/xml would add 168 KB to the binary.
package markup

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Element is one element of a document.
type Element struct {
	Name     string // without a namespace's prefix
	Text     string // its own text, without that of the elements in it
	Children []*Element
	Encoded  bool // it has Encoded="true", the one attribute that a store's answer needs
}

// All gives the elements of a name that are directly in this one.
func (e *Element) All(name string) (found []*Element) {
	for _, c := range e.Children {
		if c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

// Get gives the text of the first element of a name, without the white space around
// it; "" when there is none.
func (e *Element) Get(name string) string {
	for _, c := range e.Children {
		if c.Name == name {
			return strings.TrimSpace(c.Text)
		}
	}
	return ""
}

// Raw is Get with the white space: keys may begin or end with it.
func (e *Element) Raw(name string) string {
	for _, c := range e.Children {
		if c.Name == name {
			return c.Text
		}
	}
	return ""
}

// maxDepth is deeper than any answer of a store.
const maxDepth = 32

// text is an error that nothing has to be made for at the start.
type text string

func (t text) Error() string { return string(t) }

const (
	errSyntax = text("it is not XML")
	errEnd    = text("it is cut short")
)

// Parse reads a whole document: one element, and around it nothing but white
// space, comments and declarations. Document types are refused.
func Parse(doc []byte) (*Element, error) {
	if !utf8.Valid(doc) {
		return nil, errSyntax
	}
	p := &parser{rest: strings.TrimPrefix(string(doc), "\ufeff")}
	var root *Element
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\r\n")
		switch {
		case p.rest == "" && root == nil:
			return nil, errEnd
		case p.rest == "":
			return root, nil
		case p.rest[0] != '<':
			return nil, errSyntax
		}
		skipped, err := p.aside()
		if err != nil {
			return nil, err
		}
		if skipped {
			continue
		}
		if root != nil {
			return nil, errSyntax
		}
		if root, err = p.element(0); err != nil {
			return nil, err
		}
	}
}

type parser struct{ rest string }

// aside skips a comment or a processing instruction.
func (p *parser) aside() (bool, error) {
	for begin, end := range map[string]string{"<!--": "-->", "<?": "?>"} {
		if strings.HasPrefix(p.rest, begin) {
			_, after, found := strings.Cut(p.rest[len(begin):], end)
			if !found {
				return false, errEnd
			}
			p.rest = after
			return true, nil
		}
	}
	return false, nil
}

// element reads from "<name" to the end of "</name>".
func (p *parser) element(depth int) (*Element, error) {
	if depth > maxDepth {
		return nil, errSyntax
	}
	p.rest = p.rest[1:]
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	e := &Element{Name: name[strings.IndexByte(name, ':')+1:]}
	empty, err := p.attributes(e)
	if err != nil || empty {
		return e, err
	}
	var text strings.Builder
	for {
		raw, _, found := strings.Cut(p.rest, "<")
		if !found {
			return nil, errEnd
		}
		if err := unescape(&text, raw); err != nil {
			return nil, err
		}
		p.rest = p.rest[len(raw):]
		switch {
		case strings.HasPrefix(p.rest, "</"):
			e.Text = text.String()
			return e, p.end(name)
		case strings.HasPrefix(p.rest, "<![CDATA["):
			data, after, found := strings.Cut(p.rest[len("<![CDATA["):], "]]>")
			if !found {
				return nil, errEnd
			}
			text.WriteString(newlines().Replace(data))
			p.rest = after
			continue
		}
		if skipped, err := p.aside(); err != nil || skipped {
			if err != nil {
				return nil, err
			}
			continue
		}
		child, err := p.element(depth + 1)
		if err != nil {
			return nil, err
		}
		e.Children = append(e.Children, child)
	}
}

func (p *parser) end(name string) error {
	rest, ok := strings.CutPrefix(p.rest[2:], name)
	rest = strings.TrimLeft(rest, " \t\r\n")
	switch {
	case !strings.Contains(p.rest, ">"):
		return errEnd
	case !ok || rest == "" || rest[0] != '>':
		return errSyntax
	}
	p.rest = rest[1:]
	return nil
}

// name reads a name; which bytes a name may hold is not checked any further than
// that it ends.
func (p *parser) name() (string, error) {
	n := strings.IndexAny(p.rest, " \t\r\n/><=\"'&!?")
	switch {
	case n < 0:
		return "", errEnd
	case n == 0 || p.rest[n-1] == ':' || p.rest[0] == ':':
		return "", errSyntax
	}
	name := p.rest[:n]
	p.rest = p.rest[n:]
	return name, nil
}

// attributes reads to the end of a tag; empty tells that it was "/>".
func (p *parser) attributes(e *Element) (empty bool, err error) {
	for {
		trimmed := strings.TrimLeft(p.rest, " \t\r\n")
		spaced := len(trimmed) < len(p.rest)
		p.rest = trimmed
		switch {
		case p.rest == "":
			return false, errEnd
		case p.rest[0] == '>':
			p.rest = p.rest[1:]
			return false, nil
		case strings.HasPrefix(p.rest, "/>"):
			p.rest = p.rest[2:]
			return true, nil
		case !spaced:
			return false, errSyntax
		}
		name, value, err := p.attribute()
		if err != nil {
			return false, err
		}
		e.Encoded = e.Encoded || name == "Encoded" && value == "true"
	}
}

func (p *parser) attribute() (name, value string, err error) {
	if name, err = p.name(); err != nil {
		return "", "", err
	}
	quoted, found := strings.CutPrefix(strings.TrimLeft(p.rest, " \t\r\n"), "=")
	quoted = strings.TrimLeft(quoted, " \t\r\n")
	if !found || quoted == "" || quoted[0] != '"' && quoted[0] != '\'' {
		return "", "", errSyntax
	}
	value, after, found := strings.Cut(quoted[1:], quoted[:1])
	if !found {
		return "", "", errEnd
	}
	p.rest = after
	return name, value, nil
}

// newlines are normalised (XML 1.0, section 2.11).
func newlines() *strings.Replacer { return strings.NewReplacer("\r\n", "\n", "\r", "\n") }

func entities() map[string]string {
	return map[string]string{"lt": "<", "gt": ">", "amp": "&", "apos": "'", "quot": `"`}
}

// unescape writes text with its references replaced.
func unescape(out *strings.Builder, raw string) error {
	for {
		before, rest, found := strings.Cut(raw, "&")
		out.WriteString(newlines().Replace(before))
		if !found {
			return nil
		}
		name, after, closed := strings.Cut(rest, ";")
		if !closed {
			return errSyntax
		}
		text, known := entities()[name]
		if digits, ok := strings.CutPrefix(name, "#"); ok {
			text, known = character(digits)
		}
		if !known {
			return errSyntax
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
