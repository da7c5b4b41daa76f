package templates

import (
	"errors"
	"fmt"
	"text/template"
	"text/template/parse"
)

// orUnset ends the names of the functions that stand in for env and default where
// default or required follows. No template can name them: they are added after
// it was parsed.
const orUnset = "_or_unset"

func (x *execution) hiddenFuncs() template.FuncMap {
	return template.FuncMap{"env" + orUnset: x.envOrUnset, "default" + orUnset: defaultOrUnset}
}

// optionalEnv lets `env "X" | default "y"` and `default "y" (env "X")` work
// although env is an error when X isn't set, and required tell its own message:
// text/template runs env first, so that call is exchanged for one that gives the
// error as a value. Only default and required ever see this value.
func optionalEnv(p *parse.PipeNode) {
	for i, c := range p.Cmds {
		if !isCall(c, "default") && !isCall(c, "required") {
			continue
		}
		if i > 0 {
			loosen(p.Cmds[i-1])
		}
		for _, arg := range c.Args[1:] {
			if inner, ok := arg.(*parse.PipeNode); ok {
				loosen(inner.Cmds[len(inner.Cmds)-1])
			}
		}
	}
}

func isCall(c *parse.CommandNode, name string) bool {
	id, ok := c.Args[0].(*parse.IdentifierNode)
	return ok && (id.Ident == name || id.Ident == name+orUnset)
}

// loosen exchanges the call whose value default or required gets.
func loosen(c *parse.CommandNode) {
	switch first := c.Args[0].(type) {
	case *parse.PipeNode:
		if len(c.Args) == 1 {
			loosen(first.Cmds[len(first.Cmds)-1])
		}
	case *parse.IdentifierNode:
		if first.Ident == "env" || first.Ident == "default" {
			first.Ident += orUnset
		}
	}
}

// unset is the value of a variable that isn't set: the error that using it is.
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
// the first index. What isn't set is missing for every index.
func required(message any, v any) (any, error) {
	if u, ok := message.(unset); ok {
		return nil, u.err
	}
	if _, ok := v.(unset); ok {
		return nil, &Error{Kind: MissingForAll, Cause: errors.New(fmt.Sprint(message))}
	}
	if s, ok := v.(string); v == nil || ok && s == "" {
		return nil, &Error{Kind: BadForItem, Cause: errors.New(fmt.Sprint(message))}
	}
	return v, nil
}
