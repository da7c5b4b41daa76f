package templates

import "text/template/parse"

// Receipt is in bodies alone: the command has no use for it.
func (d dot) Receipt() (string, error) {
	t, err := d.task()
	if err != nil {
		return "", err
	}
	return t.Receipt, nil
}

// ParseJSON parses a JSON text whose actions are values, whole: each gives its value as
// JSON, a string with its quotes, so that none becomes part of the text around it. It
// may also name Receipt, and these fields of Statement.
func ParseJSON(word string, more ...string) (*Template, error) {
	t, err := parseWith(word, append(more, "Receipt"))
	if err == nil && t.tree != nil && t.tree.Tree != nil {
		asValues(t.tree.Root)
	}
	return t, err
}

// asValues ends every pipeline that gives text with toJson, unless it ends so already.
func asValues(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 && !endsInJSON(n.Pipe) {
				n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier("toJson").SetPos(n.Pos)}})
			}
		case *parse.IfNode:
			asValues(n.List)
			asValues(n.ElseList)
		case *parse.WithNode:
			asValues(n.List)
			asValues(n.ElseList)
		case *parse.RangeNode:
			asValues(n.List)
			asValues(n.ElseList)
		}
	}
}

func endsInJSON(p *parse.PipeNode) bool {
	f, ok := p.Cmds[len(p.Cmds)-1].Args[0].(*parse.IdentifierNode)
	return ok && f.Ident == "toJson"
}
