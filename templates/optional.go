package templates

import (
	"errors"
	"fmt"
	"text/template/parse"
)

// orUnset ends the names of the functions that stand in for those that give a value or an
// error where default or required follows, and orNone where only a condition does. No
// template can name them: they are added after it was parsed.
const (
	orUnset = "_or_unset"
	orNone  = "_or_none"
)

// optional lets `env "X" | default "y"` and `default "y" .Task.x` work although what isn't
// there is an error, and required tell its own message: env is called first, so
// that call is exchanged for one that gives the error as a value. Only default and
// required ever see this value.
func optional(p *parse.PipeNode) {
	for i, c := range p.Cmds {
		if !isCall(c, "default") && !isCall(c, "required") {
			continue
		}
		if i > 0 {
			loosen(p.Cmds[i-1], orUnset)
		}
		for _, arg := range c.Args[1:] {
			loosenIn(arg, orUnset)
		}
	}
}

// condition lets a field that isn't there be false, as one that is empty. A variable that
// isn't set is an error there too: whoever set it under another name must learn of it.
func condition(p *parse.PipeNode) {
	for _, c := range p.Cmds {
		if c == p.Cmds[len(p.Cmds)-1] || isCall(p.Cmds[len(p.Cmds)-1], "not") {
			loosen(c, orNone)
		}
	}
}

func isCall(c *parse.CommandNode, name string) bool {
	id, ok := c.Args[0].(*parse.IdentifierNode)
	return ok && (id.Ident == name || id.Ident == name+orUnset)
}

// loosen exchanges the call that gives the value of a command.
func loosen(c *parse.CommandNode, or string) {
	if len(c.Args) == 1 {
		loosenIn(c.Args[0], or)
	}
	called, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok {
		return
	}
	switch called.Ident {
	case "env", "default":
		if or == orUnset {
			called.Ident += or
		}
	case "field", "index":
		called.Ident += or
		of := map[string]int{"field" + or: 2, "index" + or: 1}[called.Ident]
		if of < len(c.Args) {
			loosenParts(c.Args[of], or) // what it is a part of may not be there either
		}
	case "and", "or", "not":
		for _, arg := range c.Args[1:] {
			if or == orNone {
				loosenIn(arg, or)
			}
		}
	}
}

// loosenIn does the same for what stands in parentheses.
func loosenIn(n parse.Node, or string) {
	if inner, ok := n.(*parse.PipeNode); ok {
		loosen(inner.Cmds[len(inner.Cmds)-1], or)
	}
}

// loosenParts does so for a part of something alone.
func loosenParts(n parse.Node, or string) {
	if inner, ok := n.(*parse.PipeNode); ok {
		if last := inner.Cmds[len(inner.Cmds)-1]; isCall(last, "field") || isCall(last, "index") {
			loosen(last, or)
		}
	}
}

// unset is the value of a variable or a field that isn't there: the error that using it is.
type unset struct{ err *Error }

func (x *execution) env(name string) (string, error) {
	if v, ok := x.sources.LookupEnv(name); ok {
		return v, nil
	}
	return "", missingEnv(name)
}

func missingEnv(name string) *Error {
	return &Error{Kind: MissingForAll, Cause: fmt.Errorf("the variable %s is not set", name),
		Hint: fmt.Sprintf(`set it, or write env %q | default "…"`, name)}
}

func (x *execution) envOrUnset(name string) any {
	if v, ok := x.sources.LookupEnv(name); ok {
		return v
	}
	return unset{missingEnv(name)}
}

func defaultOrUnset(d any, given ...any) any {
	if len(given) == 0 || empty(given[0]) {
		return d
	}
	return given[0]
}

func orDefault(d any, given ...any) (any, error) {
	v := defaultOrUnset(d, given...)
	if u, ok := v.(unset); ok {
		return nil, u.err
	}
	return v, nil
}

// required differs from Sprig's in one point: the number 0 is a value, for it is
// the first index. A variable that isn't set is missing for every index.
func required(message any, v any) (any, error) {
	if u, ok := message.(unset); ok {
		return nil, u.err
	}
	if u, ok := v.(unset); ok {
		return nil, &Error{Kind: u.err.Kind, Cause: errors.New(fmt.Sprint(message))}
	}
	if s, ok := v.(string); v == nil || v == null("") || ok && s == "" {
		return nil, &Error{Kind: BadForItem, Cause: errors.New(fmt.Sprint(message))}
	}
	return v, nil
}
