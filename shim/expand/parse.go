package expand

import (
	"nth/shim/failure"
	"nth/templates"
)

// Parser parses one template after the other, and keeps the first error, so that a list
// of templates reads as a list.
type Parser struct {
	Err error // a failure with exit code 64
}

// Fail notes what is wrong with a flag, if nothing was before.
func (p *Parser) Fail(flag string, cause error, hint string) {
	if p.Err == nil {
		p.Err = &failure.Failure{Code: failure.Usage, Tried: "parse", On: flag, Cause: cause, Hint: hint}
	}
}

// One parses a word.
func (p *Parser) One(flag, word string) *templates.Template { return p.as(templates.Parse, flag, word) }

// URL parses a URL, in which values are no syntax.
func (p *Parser) URL(flag, word string) *templates.Template {
	return p.as(templates.ParseURL, flag, word)
}

// Path parses a path at which something is read or written.
func (p *Parser) Path(flag, word string) *templates.Template {
	return p.as(templates.ParsePath, flag, word)
}

// Places parses URLs, or paths.
func (p *Parser) Places(flag string, words []string) []*templates.Template {
	list := make([]*templates.Template, len(words))
	for i, w := range words {
		list[i] = p.as(templates.ParsePlace, flag, w)
	}
	return list
}

func (p *Parser) as(parse func(string) (*templates.Template, error), flag, word string) *templates.Template {
	t, err := parse(word)
	if err != nil {
		p.Fail(flag, err, "")
	}
	return t
}

// All parses words.
func (p *Parser) All(flag string, words []string) []*templates.Template {
	list := make([]*templates.Template, len(words))
	for i, w := range words {
		list[i] = p.One(flag, w)
	}
	return list
}
