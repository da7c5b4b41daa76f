package templates

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// walker looks at every field that a template names, also in branches that would
// not be taken. Only the root has fields: it is the dot outside of with and
// range, and $ everywhere. Nothing else can hold it, for the root alone, without
// a field, is no value that a word could show.
type walker struct {
	more                          []string // fields of Statement that it may name
	usesIndex, usesTask, usesItem bool
	variables, secrets            []string
	err                           *Error
}

func (w *walker) fail(cause error, hint string) {
	if w.err == nil {
		w.err = &Error{Kind: Syntax, Cause: cause, Hint: hint}
	}
}

func (w *walker) unknown(path, hint string) {
	w.fail(fmt.Errorf("there is no field .%s", path), hint)
}

func (w *walker) list(l *parse.ListNode, root bool) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		w.node(n, root)
	}
}

func (w *walker) node(n parse.Node, root bool) {
	switch n := n.(type) {
	case *parse.ActionNode:
		w.pipe(n.Pipe, root)
	case *parse.IfNode:
		w.branch(&n.BranchNode, root, root)
	case *parse.WithNode:
		w.branch(&n.BranchNode, root, false)
	case *parse.RangeNode:
		w.branch(&n.BranchNode, root, false)
	case *parse.TemplateNode:
		w.fail(errNested, "")
	case *parse.PipeNode:
		w.pipe(n, root)
	case *parse.DotNode:
		if root {
			w.bare(".")
		}
	case *parse.FieldNode:
		w.dotField(n.Ident, root)
	case *parse.VariableNode:
		w.variable(n.Ident)
	case *parse.ChainNode:
		w.node(n.Node, root)
		w.unknown(strings.Join(n.Field, "."), "a value has no fields")
	}
}

func (w *walker) bare(what string) {
	w.fail(fmt.Errorf("%s alone is no value", what), "name a field of it: "+fieldNames())
}

func (w *walker) dotField(path []string, root bool) {
	if root {
		w.field(path)
		return
	}
	w.unknown(strings.Join(path, "."), "inside with and range write $."+path[0])
}

func (w *walker) variable(path []string) {
	switch {
	case path[0] == "$" && len(path) > 1:
		w.field(path[1:])
	case path[0] == "$":
		w.bare("$")
	case len(path) > 1:
		w.unknown(strings.Join(path[1:], "."), "a value has no fields")
	}
}

func (w *walker) branch(b *parse.BranchNode, root, inside bool) {
	w.pipe(b.Pipe, root)
	w.list(b.List, inside)
	w.list(b.ElseList, root)
}

func (w *walker) pipe(p *parse.PipeNode, root bool) {
	if p == nil {
		return
	}
	optionalEnv(p)
	for _, c := range p.Cmds {
		w.reads(c)
		for _, a := range c.Args {
			w.node(a, root)
		}
	}
}

// reads notes the variable that a call reads whose name stands there.
func (w *walker) reads(c *parse.CommandNode) {
	if len(c.Args) != 2 || !isCall(c, "env") && !isCall(c, "secret") {
		return
	}
	name, ok := c.Args[1].(*parse.StringNode)
	if !ok {
		return
	}
	if !slices.Contains(w.variables, name.Text) {
		w.variables = append(w.variables, name.Text)
	}
	if isCall(c, "secret") && !slices.Contains(w.secrets, name.Text) {
		w.secrets = append(w.secrets, name.Text)
	}
}
