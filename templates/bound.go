package templates

import "text/template"

// Bound is a word at one index, to be expanded for each of many items: what doesn't
// depend on the item is settled once.
type Bound struct {
	t    *Template
	x    *execution
	tree *template.Template // nil: every item has the same text
	text string
	item int64
}

// Bind settles all but .Item and what the task says. An error is an *Error.
func (t *Template) Bind(f Fields, s Sources) (*Bound, error) {
	b := &Bound{t: t}
	if !t.usesItem && !t.usesTask {
		e, err := t.Expand(f, s)
		b.text = e.Text
		return b, err
	}
	tree, err := t.tree.Clone()
	if err != nil {
		return nil, err
	}
	b.x = &execution{fields: f, sources: s}
	b.x.fields.Item = &b.item
	b.tree = tree.Funcs(b.x.funcs()).Funcs(b.x.hiddenFuncs())
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
	b.item, b.x.fields.Task = item, task
	text, err := b.x.run(b.tree)
	if err != nil {
		return "", b.t.explain(b.x, err)
	}
	return text, nil
}
