// Package templates is the << >> language in which a command says where its index
// goes: Go's text/template with delimiters that no shell and no YAML file minds.
// One word of a command is one template, and one value: expansion never splits a
// word, so no value can become an argument of its own.
package templates

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
)

// The delimiters of an action.
const (
	left  = "<<"
	right = ">>"
)

// maxOutput bounds one expanded word, in bytes. The kernel takes 128 KiB; what is
// far above it is a mistake that should not cost the memory of the node.
const maxOutput = 4 << 20

// Fields is what a template may name.
type Fields struct {
	Index, RawIndex int64
	Completions     *int64 // nil: not known
	Attempt         int
	Job, JobUID     string // "": not known
	Platform        string
	RunID, Hostname string
}

// Sources are the edges of the functions env, secret and file.
type Sources struct {
	LookupEnv func(string) (string, bool)
	ReadFile  func(string) ([]byte, error)
}

// Template is one parsed word.
type Template struct {
	word      string
	tree      *template.Template // nil: plain text
	usesIndex bool
}

// Expansion is one word at one index.
type Expansion struct {
	Text string
	// Stable is Text with everything that may differ between two runs of the same
	// item held constant, and each secret replaced by its name.
	Stable string
	// Secrets are the values that must not be shown anywhere.
	Secrets []string
}

// Parse parses one word. An error is an *Error of the kind Syntax; a field or
// function that doesn't exist is one, also in a branch that would not be taken.
func Parse(word string) (*Template, error) {
	t := &Template{word: word}
	if !strings.Contains(word, left) {
		return t, nil
	}
	tree, err := template.New("word").Delims(left, right).Option("missingkey=error").Funcs(parseFuncs).Parse(word)
	if err != nil {
		return nil, &Error{Kind: Syntax, Word: word, Cause: errors.New(plain(err)), Hint: syntaxHint(err)}
	}
	t.tree = tree
	w := walker{}
	for _, one := range tree.Templates() {
		if one.Tree != nil && one.Root != nil {
			w.list(one.Root, one.Name() == "word")
		}
	}
	t.usesIndex = w.usesIndex
	if w.unknown != "" {
		return nil, &Error{Kind: Syntax, Word: word, Cause: fmt.Errorf("there is no field .%s", w.unknown),
			Hint: "the fields are " + fieldNames()}
	}
	return t, nil
}

// UsesIndex tells whether the word names .Index or .RawIndex.
func (t *Template) UsesIndex() bool { return t.usesIndex }

// Expand gives the word at one index, whole or not at all. An error is an *Error.
func (t *Template) Expand(f Fields, s Sources) (Expansion, error) {
	if t.tree == nil {
		return Expansion{Text: t.word, Stable: t.word}, nil
	}
	real := &execution{fields: f, sources: s}
	text, err := t.execute(real)
	if err != nil {
		return Expansion{}, err
	}
	e := Expansion{Text: text, Secrets: real.secrets}
	if e.Stable, err = t.execute(&execution{fields: stableFields(f), sources: s, stable: true}); err != nil {
		// What is held constant doesn't fit: the word's own text is constant too.
		e.Stable = t.word
	}
	for _, secret := range real.secrets {
		if !strings.Contains(text, secret) {
			// A function changed it, and nobody can say what of the word still tells it.
			e.Secrets = append(e.Secrets, text)
			break
		}
	}
	return e, nil
}

func (t *Template) execute(x *execution) (string, error) {
	tree, err := t.tree.Clone()
	if err != nil {
		return "", &Error{Kind: BadForItem, Word: t.word, Cause: err}
	}
	out := &bounded{}
	if err := tree.Funcs(x.funcs()).Execute(out, dot{x}); err != nil {
		return "", t.explain(x, err)
	}
	return out.String(), nil
}

// explain finds the kind of an execution's error. Messages may quote values, so
// where a secret was read none is shown.
func (t *Template) explain(x *execution, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Kind: BadForItem, Cause: errors.New(plain(err))}
		if strings.Contains(err.Error(), "can't evaluate field") {
			e.Kind = Syntax
		}
	}
	e.Word = t.word
	if len(x.secrets) > 0 {
		e.Cause, e.Hint = errors.New("it can't be executed (why is not shown, for it has a secret)"), ""
	}
	return e
}

// plain takes text/template's own prefix away: "template: word:1:2: executing …".
func plain(err error) string {
	s := strings.TrimPrefix(err.Error(), "template: word:")
	if at := strings.Index(s, ": "); strings.HasPrefix(err.Error(), "template: word:") && at >= 0 {
		s = s[at+2:]
	}
	return strings.TrimPrefix(s, `executing "word" `)
}

func syntaxHint(err error) string {
	hint := `for a literal <<, as in a here-document, write <<"<<">>`
	if strings.Contains(err.Error(), "not defined") {
		hint += "; the functions are " + functionNames()
	}
	return hint
}

// bounded is the text of one word, which may not grow without end.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, &Error{Kind: BadForItem, Cause: fmt.Errorf("it expands to more than %d bytes", maxOutput),
			Hint: "one word of a command is limited to 128 KiB"}
	}
	return b.Builder.Write(p)
}

// walker looks at every field that a template names. The names are ours only
// where the dot is: inside with and range it is something else, and $ is the root.
type walker struct {
	usesIndex bool
	unknown   string
}

func (w *walker) field(name string) {
	if _, ok := fieldSet[name]; !ok && w.unknown == "" {
		w.unknown = name
	}
	if name == "Index" || name == "RawIndex" {
		w.usesIndex = true
	}
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
		w.pipe(n.Pipe, root)
	case *parse.PipeNode:
		w.pipe(n, root)
	case *parse.FieldNode:
		if root {
			w.field(n.Ident[0])
		}
	case *parse.VariableNode:
		if n.Ident[0] == "$" && len(n.Ident) > 1 {
			w.field(n.Ident[1])
		}
	case *parse.ChainNode:
		w.node(n.Node, root)
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
		for _, a := range c.Args {
			w.node(a, root)
		}
	}
}
