package templates

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"text/template/parse"
)

// urlForm is what a template that is a URL needs beside its tree.
type urlForm struct {
	paths bool // it may be a path as well
	local bool // it is a path, of what is read or written there
	whole bool // it is nothing but one action, and that is the item's
	kind  Kind // of a value that can't stand where it is
}

// The calls that end the actions of a URL, by whose the value is. No template can name
// them: they are added after it was parsed.
const (
	ofPod  = "_of_pod"
	ofItem = "_of_item"
)

// ParseURL parses a URL whose actions are values, which become no syntax of it: in the
// path each is escaped but for its slashes, and in the query as a parameter's value.
// Scheme, host and parameters are the template's own, or of a value that doesn't come
// with an item: env "BUCKET". Only a template that is nothing but one action of an item's
// may be all of a URL; Expansion.FromItem says so.
func ParseURL(word string) (*Template, error) { return parseURL(word, false) }

// ParsePlace parses a URL, as ParseURL does, or a path, in which values stand as they are.
// It is a path if what isn't the item's has no "://" in it.
func ParsePlace(word string) (*Template, error) { return parseURL(word, true) }

// ParsePath parses a path at which something is read or written, in which values stand as
// they are. None of an item's leads out of the directory that stands before it, nor is one
// absolute or makes a directory of what is a file, also where it is all of the path: else a
// row could have any file of the machine.
func ParsePath(word string) (*Template, error) {
	return parseForm(word, &urlForm{paths: true, local: true})
}

func parseURL(word string, paths bool) (*Template, error) {
	return parseForm(word, &urlForm{paths: paths})
}

func parseForm(word string, form *urlForm) (*Template, error) {
	t, err := Parse(word)
	if err != nil || t.tree == nil {
		return t, err
	}
	t.url, form.kind = form, MissingForAll
	if t.usesTask || t.usesIndex {
		t.url.kind = BadForItem
	}
	var items []bool
	if t.usesTask {
		if items, err = itemsActions(word); err != nil {
			return nil, err
		}
	}
	nodes := t.tree.Root.Nodes
	if len(nodes) == 1 && len(items) == 1 && nodes[0].Type() == parse.NodeAction {
		t.url.whole = items[0]
	}
	if err := t.url.check(nodes, items); err != nil && !form.local {
		err.Word = word
		return nil, err
	}
	n := 0
	eachAction(t.tree.Root, func(a *parse.ActionNode) {
		end := ofPod
		if items != nil && items[n] {
			end = ofItem
		}
		n++
		given := []parse.Node{parse.NewIdentifier(end).SetPos(a.Pos), &parse.BoolNode{NodeType: parse.NodeBool, True: endsIn(a.Pipe, "urlquery")}}
		a.Pipe.Cmds = append(a.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Args: given})
	})
	return t, nil
}

// itemsActions tells of each action whether its value may be the item's. What an action
// names is known if it can stand alone; where it can't, it has a variable or a dot, which
// may hold anything.
func itemsActions(word string) (items []bool, err error) {
	tree, err := grow(word)
	if err != nil {
		return nil, err
	}
	eachAction(tree.Root, func(a *parse.ActionNode) {
		t, err := Parse(left + a.Pipe.String() + right)
		items = append(items, err != nil || t.usesTask)
	})
	return items, nil
}

// check finds a value of an item's where no value of one can stand, as far as that can be
// told before there is one.
func (u *urlForm) check(nodes []parse.Node, items []bool) *Error {
	b := &urlText{kind: u.kind}
	for _, n := range nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			b.text(string(n.Text), false)
		case *parse.ActionNode:
			if len(n.Pipe.Decl) > 0 || len(items) == 0 {
				return nil
			}
			its := items[0]
			items = items[1:]
			if u.whole || !its && b.at != inPath && b.at != inValue || b.at == inScheme && u.paths {
				return nil
			}
			if err := b.value(value{text: "/x", item: its}); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// value is what one action gave.
type value struct {
	text    string
	item    bool // it may be the item's
	escaped bool // by urlquery
}

// keep keeps the values of a URL's actions apart from its text, in which only a NUL stands
// for each: no text and no value may have one.
func (x *execution) keep(v any, escaped, item bool) (string, error) {
	text := fmt.Sprint(v)
	if x.size += len(text); x.size > maxOutput {
		return "", errTooLong()
	}
	if strings.IndexByte(text, 0) >= 0 {
		return "", errNUL
	}
	if x.as != nil {
		text = x.as(text)
	}
	if plain, err := url.QueryUnescape(text); escaped && err == nil { // by urlquery: once is enough
		text = plain
	}
	x.values = append(x.values, value{text, item, escaped})
	return "\x00", nil
}

// run evaluates a template and puts its values into its text.
func (u *urlForm) run(x *execution, tree *parse.Tree) (string, error) {
	x.values, x.size = nil, 0
	text, err := x.text(tree)
	if err != nil {
		return "", err
	}
	texts := strings.Split(text, "\x00")
	if len(texts) != len(x.values)+1 {
		return "", errNUL
	}
	if u.local || u.paths && !isURL(texts, x.values) {
		return u.path(texts, x.values)
	}
	b := &urlText{kind: u.kind, lenient: x.stable, named: x.named && x.as == nil}
	if u.whole {
		b.text(x.values[0].text, true)
		return b.end()
	}
	for i, text := range texts {
		if i > 0 {
			if err := b.value(x.values[i-1]); err != nil {
				return "", err
			}
		}
		b.text(text, false)
	}
	return b.end()
}

// isURL tells whether what isn't the item's is that of a URL; the value of a template that
// is nothing else tells it by itself.
func isURL(texts []string, values []value) bool {
	own := texts[0]
	for i, v := range values {
		if v.item && !(len(values) == 1 && texts[0] == "" && texts[1] == "") {
			v.text = "\x00"
		}
		own += v.text + texts[i+1]
	}
	return strings.Contains(own, "://")
}

// emptyValue stands for an empty value while a path is looked at.
const emptyValue = "\x00\x00"

// path puts a path together. What an item says leads to no other directory, unless it
// says all of it and nothing is read or written there.
func (u *urlForm) path(texts []string, values []value) (string, error) {
	whole, marked := texts[0], texts[0]
	for i, v := range values {
		whole += v.text + texts[i+1]
		switch {
		case v.item && v.text == "":
			v.text = emptyValue
		case v.item:
			v.text = "\x00" + strings.ReplaceAll(v.text, "/", "/\x00")
		}
		marked += v.text + texts[i+1]
	}
	if u.whole && !u.local {
		return whole, nil
	}
	if strings.Contains(whole, "://") && u.kind == BadForItem && !u.local {
		return "", &Error{Kind: BadForItem, Cause: errors.New("the item gives the beginning of a URL"), Hint: hintWhole}
	}
	for segment := range strings.SplitSeq(marked, "/") {
		switch part := strings.ReplaceAll(segment, "\x00", ""); {
		case part == ".." && segment != "..":
			return "", &Error{Kind: BadForItem, Cause: errors.New("a value makes .. of a part of the path"), Hint: hintDots}
		case part == "" && strings.Contains(segment, emptyValue):
			return "", &Error{Kind: BadForItem, Cause: errEmpty, Hint: hintDots}
		case u.local && part == "." && segment != ".":
			return "", &Error{Kind: BadForItem, Cause: errors.New("a value makes . of a part of the path"), Hint: hintDots}
		}
	}
	if u.local {
		return whole, leads(marked)
	}
	return whole, nil
}

// leads tells where an item's value leads that it must not; what is marked begins with NUL.
func leads(marked string) error {
	switch {
	case strings.HasPrefix(marked, "\x00/"):
		return &Error{Kind: BadForItem, Cause: errors.New("an item's value can't be an absolute path"), Hint: "write the directory into the template: /dir/<<…>>"}
	case strings.HasSuffix(marked, "/\x00"):
		return &Error{Kind: BadForItem, Cause: errors.New("a value ends in a slash, and would make a directory of a file"), Hint: "the slash of a directory stands in the template"}
	}
	return nil
}

// eachAction visits the actions that give text, in the order of the template.
func eachAction(l *parse.ListNode, visit func(*parse.ActionNode)) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		var b *parse.BranchNode
		switch n := n.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 {
				visit(n)
			}
			continue
		case *parse.IfNode:
			b = &n.BranchNode
		case *parse.WithNode:
			b = &n.BranchNode
		case *parse.RangeNode:
			b = &n.BranchNode
		default:
			continue
		}
		eachAction(b.List, visit)
		eachAction(b.ElseList, visit)
	}
}
