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
	slot int64
	// The word in pieces, where it has nothing but text, .Item and .Slot; nil: it has.
	pieces []piece
	buf    []byte
}

// Bind settles all but .Item, .Slot and what the task says. An error is an *Error.
func (t *Template) Bind(f Fields, s Sources) (*Bound, error) {
	b := &Bound{t: t}
	if !t.usesItem && !t.usesTask && !t.usesSlot {
		e, err := t.Expand(f, s)
		b.text = e.Text
		return b, err
	}
	b.x = &execution{fields: f, sources: s}
	b.x.fields.Item, b.x.fields.Slot = &b.item, &b.slot
	b.tree = t.tree
	b.pieces = piecesOf(t)
	return b, nil
}

// Varies tells whether items differ in this word.
func (b *Bound) Varies() bool { return b.tree != nil }

// Text gives the word for one item in its slot; task is nil where items are only numbers. An error
// is an *Error.
func (b *Bound) Text(item, slot int64, task *Task) (string, error) {
	if b.tree == nil {
		return b.text, nil
	}
	if b.pieces != nil {
		return b.join(item, slot), nil
	}
	b.item, b.slot, b.x.fields.Task = item, slot, task
	text, err := b.x.run(b.tree)
	if err != nil {
		return "", b.t.explain(b.x, err)
	}
	return text, nil
}

// piece is a part of a word: text, or one of the numbers that items differ in.
type piece struct {
	text  string
	field string // .Item or .Slot; "": the text
}

// join puts the word together, which costs one allocation.
func (b *Bound) join(item, slot int64) string {
	b.buf = b.buf[:0]
	for _, p := range b.pieces {
		switch p.field {
		case "":
			b.buf = append(b.buf, p.text...)
		case fieldItem:
			b.buf = strconv.AppendInt(b.buf, item, 10)
		case fieldSlot:
			b.buf = strconv.AppendInt(b.buf, slot, 10)
		}
	}
	return string(b.buf)
}

const (
	fieldItem = ".Item"
	fieldSlot = ".Slot"
)

// piecesOf takes a word apart in which only .Item and .Slot vary, as most do: to execute
// its template would cost more than all else that nth does for an item.
func piecesOf(t *Template) (pieces []piece) {
	if len(t.word) > maxOutput/digits || strings.IndexByte(t.word, 0) >= 0 {
		return nil
	}
	for _, n := range t.tree.Root.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			pieces = append(pieces, piece{text: string(n.Text)})
		case *parse.ActionNode:
			field := n.Pipe.String()
			if field != fieldItem && field != fieldSlot {
				return nil
			}
			pieces = append(pieces, piece{field: field})
		default:
			return nil
		}
	}
	return pieces
}

// digits is how many a number has at most.
const digits = 20
