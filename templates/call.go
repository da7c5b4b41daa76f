package templates

import (
	"fmt"
	"text/template/parse"
)

// count tells how many arguments there are behind the first word of a command, and in the
// pipeline before it.
func count(args []parse.Node, last any) int {
	n := max(len(args)-1, 0)
	if _, none := last.(nothing); !none {
		n++
	}
	return n
}

// field gives a field of the root: nothing else has any, for the walker puts calls of the
// function field in the place of the others.
func (e *evaluation) field(n parse.Node, path []string, args []parse.Node, last any) (v any, err error) {
	e.at = n
	given := count(args, last)
	if given == 0 || len(path) > 1 {
		v, err = e.guarded(n, path[0], func() (any, error) { return e.x.root(path) })
	}
	if err == nil && given > 0 {
		err = e.fail("wrong number of args for %s: want 0 got %d", path[len(path)-1], given)
	}
	return v, err
}

// function calls one; n is its name, and whole what it stands in.
func (e *evaluation) function(dot any, n *parse.IdentifierNode, whole parse.Node, args []parse.Node, last any) (any, error) {
	e.at = n
	f, ok := allFuncs()[n.Ident].(signature)
	if !ok {
		return nil, e.fail("%q is not a defined function", n.Ident)
	}
	switch given := count(args, last); {
	case f.most == many && given < f.least:
		return nil, e.fail("wrong number of args for %s: want at least %d got %d", n.Ident, f.least, given)
	case given < f.least || given > f.most:
		return nil, e.fail("wrong number of args for %s: want %d got %d", n.Ident, f.least, given)
	}
	if len(args) > 0 {
		args = args[1:]
	}
	if n.Ident == "and" || n.Ident == "or" {
		return e.either(dot, n.Ident == "or", args, last)
	}
	values := make([]any, 0, len(args)+1)
	for i, a := range args {
		v, err := e.argument(dot, a, i < f.texts)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	if count(nil, last) > 0 {
		if err := e.fits(last, len(values) < f.texts); err != nil {
			return nil, err
		}
		values = append(values, last)
	}
	return e.guarded(whole, n.Ident, func() (any, error) { return e.x.apply(n.Ident, values) })
}

// either gives the first value that decides and or or, or the last one. What stands behind
// it isn't evaluated.
func (e *evaluation) either(dot any, decides bool, args []parse.Node, last any) (v any, err error) {
	for _, a := range args {
		if v, err = e.argument(dot, a, false); err != nil || truth(v) == decides {
			return v, err
		}
	}
	if count(nil, last) > 0 {
		v = last
	}
	return v, nil
}

func (e *evaluation) argument(dot any, n parse.Node, text bool) (v any, err error) {
	e.at = n
	switch n := n.(type) {
	case *parse.FieldNode:
		v, err = e.field(n, n.Ident, nil, nothing{})
	case *parse.VariableNode:
		v, err = e.variable(n, nil, nothing{})
	case *parse.PipeNode:
		v, err = e.pipeline(dot, n)
	case *parse.IdentifierNode:
		v, err = e.function(dot, n, n, nil, nothing{})
	case *parse.DotNode:
		v = dot
	case *parse.NilNode:
		if text {
			err = e.fail("cannot assign nil to string")
		}
		return nil, err
	case *parse.StringNode:
		return n.Text, nil
	default:
		if text {
			return nil, e.fail("expected string; found %s", n)
		}
		return e.literal(dot, n)
	}
	if err != nil {
		return nil, err
	}
	return v, e.fits(v, text)
}

// fits refuses for a text what is none. A number of a JSON text isn't one either.
func (e *evaluation) fits(v any, text bool) error {
	if _, ok := v.(string); ok || !text {
		return nil
	}
	if v == nil {
		return e.fail("invalid value; expected string")
	}
	return e.fail("wrong type for value; expected string; got %T", v)
}

// guarded tells an error with the name of what was called, and so a panic: no template may
// end nth.
func (e *evaluation) guarded(n parse.Node, name string, call func() (any, error)) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
		if err != nil {
			e.at = n
			v, err = nil, e.fail("error calling %s: %w", name, err)
		}
	}()
	return call()
}
