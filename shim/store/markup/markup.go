// Package markup reads the small XML documents with which stores answer: errors,
// listings, the names of uploads. It knows elements and their text, which is all
// that they use; encoding/xml would add 168 KB to the binary.
package markup

import (
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

// fewChildren is how many elements most have that have any.
const fewChildren = 6

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
		p.rest = unspace(p.rest)
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

type parser struct {
	rest string
	slab []Element // of which the next ones are made
}

// slab is how many elements are made at once: a listing has seven thousand.
const slab = 64

func (p *parser) make(name string) *Element {
	if len(p.slab) == 0 {
		p.slab = make([]Element, slab)
	}
	e := &p.slab[0]
	p.slab, e.Name = p.slab[1:], name
	return e
}

// aside skips a comment or a processing instruction.
func (p *parser) aside() (bool, error) {
	begin, end := "<!--", "-->"
	if strings.HasPrefix(p.rest, "<?") {
		begin, end = "<?", "?>"
	}
	behind, is := strings.CutPrefix(p.rest, begin)
	if !is {
		return false, nil
	}
	_, after, found := strings.Cut(behind, end)
	if !found {
		return false, errEnd
	}
	p.rest = after
	return true, nil
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
	e := p.make(name[strings.IndexByte(name, ':')+1:])
	empty, err := p.attributes(e)
	if err != nil || empty {
		return e, err
	}
	for {
		raw, _, found := strings.Cut(p.rest, "<")
		if !found {
			return nil, errEnd
		}
		text, err := unescape(raw)
		if err != nil {
			return nil, err
		}
		e.Text += text
		p.rest = p.rest[len(raw):]
		switch {
		case strings.HasPrefix(p.rest, "</"):
			return e, p.end(name)
		case strings.HasPrefix(p.rest, "<![CDATA["):
			data, after, found := strings.Cut(p.rest[len("<![CDATA["):], "]]>")
			if !found {
				return nil, errEnd
			}
			e.Text += normal(data)
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
		if e.Children == nil {
			e.Children = make([]*Element, 0, fewChildren)
		}
		e.Children = append(e.Children, child)
	}
}

func (p *parser) end(name string) error {
	rest, ok := strings.CutPrefix(p.rest[2:], name)
	rest = unspace(rest)
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
	n := strings.IndexFunc(p.rest, func(r rune) bool {
		return r <= '>' && strings.ContainsRune(" \t\r\n/><=\"'&!?", r)
	})
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
		trimmed := unspace(p.rest)
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
	quoted, found := strings.CutPrefix(unspace(p.rest), "=")
	quoted = unspace(quoted)
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
