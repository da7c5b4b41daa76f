package templates

import (
	"errors"
	"text/template/parse"
)

// Statement is what a statement about a queue's task may name beside the fields of
// every template; which of it, is said to Split.
type Statement struct {
	Lease, Delay  float64 // in seconds
	MaxAttempts   int
	Reason        string
	Dead, Release bool
	Retry         bool
	Bits          bool // the last three are 1 and 0, for who has no booleans
}

// field gives one by its name.
func (s *Statement) field(name string) (any, error) {
	yes := false
	switch name {
	case "Lease":
		return s.Lease, nil
	case "Delay":
		return s.Delay, nil
	case "MaxAttempts":
		return s.MaxAttempts, nil
	case "Reason":
		return s.Reason, nil
	case "Dead":
		yes = s.Dead
	case "Release":
		yes = s.Release
	case "Retry":
		yes = s.Retry
	default:
		return nil, errors.New("there is no field ." + name)
	}
	if !s.Bits {
		return yes, nil
	}
	n := 0
	if yes {
		n = 1
	}
	return n, nil
}

var errNotValue = errors.New("if, with, range and variables can't be used: each << >> is one value")

// Split takes a word apart whose actions are values that must not become part of its
// text: there is one more text than there are actions. Only <<"<<">> is text, as
// everywhere. The fields of Statement that the actions may name are given.
func Split(word string, more ...string) (texts []string, actions []*Template, err error) {
	tree, err := grow(word)
	if err != nil {
		return nil, nil, err
	}
	text := ""
	for _, n := range tree.Root.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			text += string(n.Text)
			continue
		case *parse.ActionNode:
			if len(n.Pipe.Decl) > 0 {
				return nil, nil, &Error{Kind: Syntax, Word: left + n.Pipe.String() + right, Cause: errNotValue}
			}
			action := left + n.Pipe.String() + right
			if action == left+`"`+left+`"`+right {
				text += left
				continue
			}
			t, err := parseWith(action, more)
			if err != nil {
				return nil, nil, err
			}
			texts, actions, text = append(texts, text), append(actions, t), ""
		default:
			return nil, nil, &Error{Kind: Syntax, Word: word, Cause: errNotValue}
		}
	}
	return append(texts, text), actions, nil
}

func dotted(names []string) []string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = "." + n
	}
	return list
}
