package templates

import (
	"strconv"
	"strings"
	"text/template/parse"
)

// Bound is a word at one index, to be expanded for each of many items: what doesn't
// depend on the item is settled once.
type Bound struct {
	t    *Template
	x    *execution
	tree *parse.Tree // nil: every item has the same text
	text string
	item int64
	// Around .Item, where the word has nothing else; nil: it has, or lacks it.
	around []string
}

// Bind settles all but .Item and what the task says. An error is an *Error.
func (t *Template) Bind(f Fields, s Sources) (*Bound, error) {
	b := &Bound{t: t}
	if !t.usesItem && !t.usesTask {
		e, err := t.Expand(f, s)
		b.text = e.Text
		return b, err
	}
	b.x = &execution{fields: f, sources: s}
	b.x.fields.Item = &b.item
	b.tree = t.tree
	b.around = aroundItem(t)
	return b, nil
}

// Varies tells whether items differ in this word.
func (b *Bound) Varies() bool { return b.tree != nil }

// Text gives the word for one item; task is nil where items are only numbers. An error
// is an *Error.
func (b *Bound) Text(item int64, task *Task) (string, error) {
	if b.tree == nil {
		return b.text, nil
	}
	if b.around != nil {
		return strings.Join(b.around, strconv.FormatInt(item, 10)), nil
	}
	b.item, b.x.fields.Task = item, task
	text, err := b.x.run(b.tree)
	if err != nil {
		return "", b.t.explain(b.x, err)
	}
	return text, nil
}

// aroundItem takes a word apart in which only .Item varies, as most do: to execute its
// template would cost more than all else that nth does for an item.
func aroundItem(t *Template) []string {
	if len(t.word) > maxOutput/digits || strings.IndexByte(t.word, 0) >= 0 {
		return nil
	}
	pieces := []string{""}
	for _, n := range t.tree.Root.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			pieces[len(pieces)-1] += string(n.Text)
		case *parse.ActionNode:
			if n.Pipe.String() != ".Item" {
				return nil
			}
			pieces = append(pieces, "")
		default:
			return nil
		}
	}
	return pieces
}

// digits is how many a number has at most.
const digits = 20
