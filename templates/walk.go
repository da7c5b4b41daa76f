package templates

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// walker looks at every field that a template names, also in branches that would
// not be taken, and puts calls of the function field in the place of fields of
// values. Only the root has fields of its own: it is the dot outside of with and
// range, and $ everywhere. Nothing else can hold it, for the root alone, without
// a field, is no value that a word could show.
type walker struct {
	more                          []string // fields of Statement that it may name
	usesIndex, usesTask, usesItem bool
	usesSlot                      bool
	variables, secrets            []string
	parted                        map[string]bool // the template's variables that may hold what has fields
	err                           *Error
}

// dotIs is what the dot is in a part of the template.
type dotIs int

const (
	root   dotIs = iota
	parted       // a value that may have fields: a part of a task, or of JSON
	bare         // a value that has none
)

func (w *walker) fail(cause error, hint string) {
	if w.err == nil {
		w.err = &Error{Kind: Syntax, Cause: cause, Hint: hint}
	}
}

func (w *walker) unknown(path []string, hint string) {
	w.fail(fmt.Errorf("there is no field .%s", strings.Join(path, ".")), hint)
}

func (w *walker) alone(what string) {
	w.fail(fmt.Errorf("%s alone is no value", what), "name a field of it: "+fieldNames())
}

func (w *walker) list(l *parse.ListNode, dot dotIs) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			w.pipe(n.Pipe, dot)
		case *parse.IfNode:
			w.pipe(n.Pipe, dot)
			condition(n.Pipe)
			w.list(n.List, dot)
			w.list(n.ElseList, dot)
		case *parse.WithNode:
			inside := w.pipe(n.Pipe, dot)
			condition(n.Pipe)
			w.list(n.List, inside)
			w.list(n.ElseList, dot)
		case *parse.RangeNode:
			inside := w.pipe(n.Pipe, dot)
			w.list(n.List, inside)
			w.list(n.ElseList, dot)
		case *parse.TemplateNode:
			w.fail(errNested, "")
		}
	}
}

// pipe tells what the dot is within with and range of the pipeline's value.
func (w *walker) pipe(p *parse.PipeNode, dot dotIs) dotIs {
	has := false
	for i, c := range p.Cmds {
		if i+1 < len(p.Cmds) && isCall(p.Cmds[i+1], "field") && len(c.Args) == 1 && isMeta(c.Args[0], dot) {
			c.Args[0], has, w.usesTask = metaParts(), true, true
			continue
		}
		has = w.command(c, dot, i > 0, has)
	}
	optional(p)
	for _, v := range p.Decl {
		if v.Ident[0] == "$" {
			w.fail(errors.New("$ can't be given a value"), "it is what all fields are of; give the variable a name: $x")
		}
		if has {
			w.declare(v.Ident[0])
		}
	}
	if has {
		return parted
	}
	return bare
}

func (w *walker) declare(variable string) {
	if w.parted == nil {
		w.parted = map[string]bool{}
	}
	w.parted[variable] = true
}

// command tells whether what a command gives may have fields; has tells it of what is
// piped into it.
func (w *walker) command(c *parse.CommandNode, dot dotIs, piped, has bool) bool {
	w.reads(c)
	for i, a := range c.Args {
		if i == 2 && isCall(c, "field") && isMeta(a, dot) {
			c.Args[i], w.usesTask = metaParts(), true
			continue
		}
		given, parts := w.value(a, dot)
		c.Args[i], has = given, has || parts
	}
	id, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok {
		return has
	}
	switch id.Ident {
	case "field":
		w.usesTask = w.usesTask || len(c.Args) == 2 && !piped || len(c.Args) == 1 // of the task itself
		return true
	case "fromJson":
		return true
	case "index", "slice", "default", "required", "volatile", "and", "or":
		return has
	}
	return false
}

// value gives what is to stand in a value's place, and whether it may have fields.
func (w *walker) value(n parse.Node, dot dotIs) (parse.Node, bool) {
	switch n := n.(type) {
	case *parse.PipeNode:
		return n, w.pipe(n, dot) == parted
	case *parse.DotNode:
		if dot == root {
			w.alone(".")
		}
		return n, dot == parted
	case *parse.FieldNode:
		switch dot {
		case root:
			return w.field(n, n.Ident)
		case parted:
			return fieldOf(&parse.DotNode{NodeType: parse.NodeDot, Pos: n.Pos}, n.Ident, n.Pos), true
		}
		w.unknown(n.Ident, "inside with and range write $."+n.Ident[0])
	case *parse.VariableNode:
		return w.variable(n)
	case *parse.ChainNode:
		of, parts := w.value(n.Node, dot)
		if parts {
			return fieldOf(of, n.Field, n.Pos), true
		}
		w.unknown(n.Field, "a value has no fields")
	}
	return n, false
}

func (w *walker) variable(n *parse.VariableNode) (parse.Node, bool) {
	name, path := n.Ident[0], n.Ident[1:]
	switch {
	case name == "$" && len(path) > 0:
		return w.field(n, path)
	case name == "$":
		w.alone("$")
	case len(path) == 0:
		return n, w.parted[name]
	case w.parted[name]:
		return fieldOf(&parse.VariableNode{NodeType: parse.NodeVariable, Pos: n.Pos, Ident: n.Ident[:1]}, path, n.Pos), true
	default:
		w.unknown(path, "a value has no fields")
	}
	return n, false
}

// field is one path of the root.
func (w *walker) field(n parse.Node, path []string) (parse.Node, bool) {
	name := path[0]
	w.usesTask = w.usesTask || name == "Task" || name == "TaskID" || name == "Meta"
	w.usesItem, w.usesSlot = w.usesItem || name == "Item", w.usesSlot || name == "Slot"
	w.usesIndex = w.usesIndex || name == "Index" || name == "RawIndex" || name == "Item" || name == "Shard"
	switch {
	case len(path) == 1 && slices.Contains(w.more, name):
	case name == "Task" && len(path) > 1:
		return fieldOf(nil, path[1:], n.Position()), true
	case name == "Meta" && len(path) == 2:
		return fieldOf(metaParts(), path[1:], n.Position()), false
	case name == "Meta" && len(path) == 1:
		w.unknown([]string{"Meta, without a name"}, `write .Meta.name, or field "any name" .Meta`)
	case name == "Shard" && (len(path) == 1 || len(path) > 2 || !slices.Contains([]string{"Start", "End", "Len"}, path[1])):
		w.unknown(path, "there are .Shard.Start, .Shard.End and .Shard.Len")
	case !isField(name) || len(path) > 1 && name != "Shard":
		w.unknown(path, "the fields are "+strings.Join(append([]string{fieldNames()}, dotted(w.more)...), " "))
	}
	return n, false
}

// fieldOf gives (field "b" (field "a" of)) for the path a.b; of nil is the task.
func fieldOf(of parse.Node, path []string, at parse.Pos) parse.Node {
	for _, name := range path {
		args := []parse.Node{parse.NewIdentifier("field").SetPos(at), &parse.StringNode{NodeType: parse.NodeString, Pos: at, Quoted: fmt.Sprintf("%q", name), Text: name}}
		if of != nil {
			args = append(args, of)
		}
		of = &parse.PipeNode{NodeType: parse.NodePipe, Pos: at, Cmds: []*parse.CommandNode{{NodeType: parse.NodeCommand, Pos: at, Args: args}}}
	}
	return of
}

// isMeta tells whether a node is .Meta, of which the function field alone makes a value.
func isMeta(n parse.Node, dot dotIs) bool {
	switch n := n.(type) {
	case *parse.FieldNode:
		return dot == root && slices.Equal(n.Ident, []string{"Meta"})
	case *parse.VariableNode:
		return slices.Equal(n.Ident, []string{"$", "Meta"})
	}
	return false
}

// metaParts gives the field that all of .Meta is, wherever it stands: no template can name it.
func metaParts() parse.Node {
	return &parse.VariableNode{NodeType: parse.NodeVariable, Ident: []string{"$", allOfMeta}}
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
