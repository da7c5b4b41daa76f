package markup

import "strings"

// name reads a name; which bytes a name may hold is not checked any further than
// that it ends.
func (p *parser) name() (string, error) {
	n := 0
	for n < len(p.rest) && (p.rest[n] > '>' || strings.IndexByte(" \t\r\n/><=\"'&!?", p.rest[n]) < 0) {
		n++
	}
	switch {
	case n == len(p.rest):
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
	if strings.HasPrefix(p.rest, ">") { // as nearly all do
		p.rest = p.rest[1:]
		return false, nil
	}
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
