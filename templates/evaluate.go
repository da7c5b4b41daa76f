package templates

import (
	"errors"
	"fmt"
	"strings"
	"text/template/parse"
)

// evaluation is one pass over the tree of a word. It does what text/template does with
// the same tree, value for value and message for message (evaluate_test.go holds it
// against that). text/template finds methods by names that it learns at run time, and
// because of that the linker has to keep every method of every type in the binary. Here
// what a word may name is known.
type evaluation struct {
	x    *execution
	out  *bounded
	vars []variable
	at   parse.Node // what an error is told of
}

type variable struct {
	name  string
	value any
}

// nothing is piped into the first command of a pipeline. Nil would be a value.
type nothing struct{}

// What ends the body of a range early.
var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

func (e *evaluation) fail(format string, args ...any) error {
	return fmt.Errorf("at <%s>: %w", e.at, fmt.Errorf(format, args...))
}

func (e *evaluation) list(dot any, l *parse.ListNode) error {
	for _, n := range l.Nodes {
		if err := e.node(dot, n); err != nil {
			return err
		}
	}
	return nil
}

func (e *evaluation) node(dot any, n parse.Node) error {
	switch n := n.(type) {
	case *parse.TextNode:
		_, err := e.out.Write(n.Text)
		return err
	case *parse.ActionNode:
		v, err := e.pipeline(dot, n.Pipe)
		if err == nil && len(n.Pipe.Decl) == 0 {
			_, err = fmt.Fprint(e.out, printable(v))
		}
		return err
	case *parse.IfNode:
		return e.branch(dot, &n.BranchNode)
	case *parse.WithNode:
		return e.branch(dot, &n.BranchNode)
	case *parse.RangeNode:
		return e.loop(dot, n)
	case *parse.BreakNode:
		return errBreak
	case *parse.ContinueNode:
		return errContinue
	}
	e.at = n
	return e.fail("it can't be executed")
}

// forget takes the variables away that a part of the template declared.
func (e *evaluation) forget(from int) { e.vars = e.vars[:from] }

func (e *evaluation) branch(dot any, b *parse.BranchNode) error {
	defer e.forget(len(e.vars))
	v, err := e.pipeline(dot, b.Pipe)
	switch {
	case err != nil:
		return err
	case truth(v) && b.NodeType == parse.NodeWith:
		return e.list(v, b.List)
	case truth(v):
		return e.list(dot, b.List)
	case b.ElseList != nil:
		return e.list(dot, b.ElseList)
	}
	return nil
}

func (e *evaluation) loop(dot any, r *parse.RangeNode) error {
	defer e.forget(len(e.vars))
	over, err := e.pipeline(dot, r.Pipe)
	if err != nil {
		return err
	}
	elements, err := elements(over, len(r.Pipe.Decl))
	if err != nil {
		return e.fail("%w", err)
	}
	empty, declared := true, len(e.vars)
	for index, element := range elements {
		empty = false
		err := e.next(r.Pipe, index, element)
		if err == nil {
			err = e.list(element, r.List)
		}
		e.forget(declared)
		if err == errBreak {
			return nil
		}
		if err != nil && err != errContinue {
			return err
		}
	}
	if empty && r.ElseList != nil {
		return e.list(dot, r.ElseList)
	}
	return nil
}

// next gives the variables of a range their values: one is the element's, of two the first
// is the index's.
func (e *evaluation) next(p *parse.PipeNode, index, element any) error {
	values := []any{index, element}[2-len(p.Decl):]
	for i, v := range values {
		if !p.IsAssign {
			e.vars[len(e.vars)-len(values)+i].value = v
		} else if err := e.set(p.Decl[i].Ident[0], v); err != nil {
			return err
		}
	}
	return nil
}

// find gives the last variable of a name.
func (e *evaluation) find(name string) (*variable, error) {
	for i := len(e.vars) - 1; i >= 0; i-- {
		if e.vars[i].name == name {
			return &e.vars[i], nil
		}
	}
	return nil, e.fail("undefined variable: %s", name)
}

func (e *evaluation) set(name string, v any) error {
	found, err := e.find(name)
	if err == nil {
		found.value = v
	}
	return err
}

func (e *evaluation) pipeline(dot any, p *parse.PipeNode) (v any, err error) {
	e.at = p
	v = nothing{}
	for _, c := range p.Cmds {
		if v, err = e.command(dot, c, v); err != nil {
			return nil, err
		}
	}
	for _, d := range p.Decl {
		if !p.IsAssign {
			e.vars = append(e.vars, variable{d.Ident[0], v})
		} else if err := e.set(d.Ident[0], v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// command gives the value of a command; what the one before it gave is its last argument.
func (e *evaluation) command(dot any, c *parse.CommandNode, last any) (any, error) {
	switch n := c.Args[0].(type) {
	case *parse.FieldNode:
		return e.field(n, n.Ident, c.Args, last)
	case *parse.VariableNode:
		return e.variable(n, c.Args, last)
	case *parse.IdentifierNode:
		return e.function(dot, n, c, c.Args, last)
	case *parse.PipeNode:
		if err := e.alone(c.Args, last); err != nil {
			return nil, err
		}
		return e.pipeline(dot, n)
	}
	e.at = c.Args[0]
	if err := e.alone(c.Args, last); err != nil {
		return nil, err
	}
	if _, ok := c.Args[0].(*parse.NilNode); ok {
		return nil, e.fail("nil is not a command")
	}
	return e.literal(dot, c.Args[0])
}

// alone refuses arguments of what is no function.
func (e *evaluation) alone(args []parse.Node, last any) error {
	if count(args, last) > 0 {
		return e.fail("can't give argument to non-function %s", args[0])
	}
	return nil
}

func (e *evaluation) literal(dot any, n parse.Node) (any, error) {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot, nil
	case *parse.BoolNode:
		return n.True, nil
	case *parse.StringNode:
		return n.Text, nil
	case *parse.NumberNode:
		return e.number(n)
	}
	return nil, e.fail("can't evaluate %s", n)
}

// number gives a constant the type that Go would.
func (e *evaluation) number(n *parse.NumberNode) (any, error) {
	hex := len(n.Text) > 2 && n.Text[0] == '0' && strings.ContainsAny(n.Text[1:2], "xX") && !strings.ContainsAny(n.Text, "pP")
	switch {
	case n.IsComplex:
		return n.Complex128, nil
	case n.IsFloat && !hex && n.Text[0] != '\'' && strings.ContainsAny(n.Text, ".eEpP"):
		return n.Float64, nil
	case n.IsInt && int64(int(n.Int64)) == n.Int64:
		return int(n.Int64), nil
	}
	e.at = n
	return nil, e.fail("%s overflows int", n.Text)
}

func (e *evaluation) variable(n *parse.VariableNode, args []parse.Node, last any) (any, error) {
	if n.Ident[0] == "$" && len(n.Ident) > 1 {
		return e.field(n, n.Ident[1:], args, last)
	}
	e.at = n
	found, err := e.find(n.Ident[0])
	if err == nil {
		err = e.alone(args, last)
	}
	if err != nil {
		return nil, err
	}
	return found.value, nil
}
