package templates

import "text/template/parse"

// ParseJSON parses a JSON text whose actions are values, whole: each gives its value as
// JSON, a string with its quotes, so that none becomes part of the text around it. It
// may also name .Receipt, for which the command has no use, and these fields of Statement.
func ParseJSON(word string, more ...string) (*Template, error) {
	t, err := parseWith(word, append(more, "Receipt"))
	if err == nil && t.tree != nil {
		asValues(t.tree.Root)
	}
	return t, err
}

// asValues ends every pipeline that gives text with toJson, unless it ends so already.
func asValues(l *parse.ListNode) {
	eachAction(l, func(n *parse.ActionNode) {
		if !endsIn(n.Pipe, "toJson") {
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier("toJson").SetPos(n.Pos)}})
		}
	})
}

// endsIn tells whether a pipeline's value is that of a function.
func endsIn(p *parse.PipeNode, function string) bool {
	f, ok := p.Cmds[len(p.Cmds)-1].Args[0].(*parse.IdentifierNode)
	return ok && f.Ident == function
}
