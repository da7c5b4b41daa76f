// Package markup reads the small XML documents with which stores answer: errors,
// listings, the names of uploads. It knows elements and their text, which is all
// that they use; encoding/xml would add 168 KB to the binary.
package markup

import (
	"strings"
	"unicode/utf8"
	"unsafe"
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
const fewChildren = 8

// maxDepth is deeper than any answer of a store.
const maxDepth = 32

// text is an error that nothing has to be made for at the start.
type text string

func (t text) Error() string { return string(t) }

const (
	errSyntax = text("it is not XML")
	errEnd    = text("it is cut short")
)

// Parse reads a whole document, which isn't changed any more: one element, and around it
// nothing but white space, comments and declarations. Document types are refused.
func Parse(doc []byte) (*Element, error) { return Rows(doc, 0, nil) }

// Rows is Parse of a long one. The elements that are so deep in it (in the root: 1) are handed
// over as they come. What is taken isn't in the document, and what it is made of is used again
// for the next: of a listing of a thousand keys only the texts are kept. It tells nothing unless
// the whole document could be read.
func Rows(doc []byte, depth int, row func(*Element) (taken bool)) (*Element, error) {
	if !utf8.Valid(doc) {
		return nil, errSyntax
	}
	text := unsafe.String(unsafe.SliceData(doc), len(doc)) // a page's keys are pieces of it
	p := &parser{rest: strings.TrimPrefix(text, "\ufeff"), depth: depth, row: row}
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
	rest  string
	made  []*Element // the first used of them are in the document
	used  int
	depth int
	row   func(*Element) bool
}

// slab is how many elements are made at once.
const slab = 16

func (p *parser) make(name string) *Element {
	if p.used == len(p.made) {
		all := make([]Element, slab)
		for i := range all {
			p.made = append(p.made, &all[i])
		}
	}
	e := p.made[p.used]
	p.used++
	e.Name, e.Text, e.Children, e.Encoded = name, "", e.Children[:0], false
	return e
}

// leaf reads <name>text</name>, as nearly all of a listing is. Where there is anything else it
// reads nothing, and gives nil.
func (p *parser) leaf() *Element {
	n := 1
	for n < len(p.rest) && p.rest[n] > '>' {
		n++
	}
	if n == 1 || n == len(p.rest) || p.rest[n] != '>' {
		return nil
	}
	raw := p.rest[n+1:]
	at := strings.IndexByte(raw, '<')
	if at < 0 || len(raw)-at < n+3 || raw[at+1] != '/' || raw[at+2:at+n+1] != p.rest[1:n] || raw[at+n+1] != '>' {
		return nil
	}
	text, err := unescape(raw[:at])
	if err != nil {
		return nil
	}
	e := p.make(p.rest[1:n])
	e.Text, p.rest = text, raw[at+n+2:]
	return e
}

// aside skips a comment or a processing instruction.
func (p *parser) aside() (bool, error) {
	if len(p.rest) > 1 && p.rest[1] > '?' {
		return false, nil // an element, as nearly always
	}
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
	if e := p.leaf(); e != nil {
		return e, nil
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
		at := strings.IndexByte(p.rest, '<')
		if at < 0 {
			return nil, errEnd
		}
		if at > 0 {
			text, err := unescape(p.rest[:at])
			if err != nil {
				return nil, err
			}
			e.Text += text
			p.rest = p.rest[at:]
		}
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
		before := p.used
		child, err := p.element(depth + 1)
		if err != nil {
			return nil, err
		}
		if depth+1 == p.depth && p.row(child) {
			p.used = before
			continue
		}
		if e.Children == nil {
			e.Children = make([]*Element, 0, fewChildren)
		}
		e.Children = append(e.Children, child)
	}
}

func (p *parser) end(name string) error {
	rest, ok := strings.CutPrefix(p.rest[2:], name)
	if rest = unspace(rest); ok && rest != "" && rest[0] == '>' {
		p.rest = rest[1:]
		return nil
	}
	if strings.IndexByte(p.rest, '>') < 0 {
		return errEnd
	}
	return errSyntax
}
