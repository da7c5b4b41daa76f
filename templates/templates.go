// Package templates is the << >> language in which a command says where its index
// goes: that of Go's text/template, with delimiters that no shell and no YAML file minds.
// One word of a command is one template, and one value: expansion never splits a
// word, so no value can become an argument of its own.
package templates

import (
	"errors"
	"strings"
	"text/template/parse"
)

// The delimiters of an action.
const (
	left  = "<<"
	right = ">>"
)

// name is the name of every template, as it stands in text/template's messages.
const name = "word"

// maxOutput bounds one expanded word, in bytes. The kernel takes 128 KiB; what is
// far above it is a mistake that should not cost the memory of the node.
const maxOutput = 4 << 20

// Fields is what a template may name.
type Fields struct {
	Index, RawIndex int64
	Completions     *int64 // nil: not known
	Outgrown        *int64 // what they were said to be, where Index lies beyond; nil: it doesn't
	Attempt         int
	Job, JobUID     string // "": not known
	Platform        string
	RunID, Hostname string
	Kind            ItemKind   // of the item that this is of
	Task            *Task      // nil: the kind has no payload
	Shard           *Shard     // nil: there are no items to share out
	Item            *int64     // nil: the index is the item
	Slot            *int64     // nil: there are many items, of which each has one of its own
	Statement       *Statement // nil: it is none
}

// Shard is a part of numbered items, from Start to before End.
type Shard struct{ Start, End int64 }

// Len is how many items it has.
func (s Shard) Len() int64 { return s.End - s.Start }

// ShardOf gives the part of one index: sizes differ by one at most, and the first ones
// are the larger.
func ShardOf(items, index, completions int64) Shard {
	size, more := items/completions, items%completions
	start := index*size + min(index, more)
	if index < more {
		size++
	}
	return Shard{Start: start, End: start + size}
}

// Sources are the edges of the functions env, secret and file.
type Sources struct {
	LookupEnv func(string) (string, bool)
	ReadFile  func(string) ([]byte, error)
}

// Template is one parsed word.
type Template struct {
	word      string
	tree      *parse.Tree // nil: plain text
	usesIndex bool
	usesTask  bool
	usesItem  bool
	usesSlot  bool
	variables []string
	secrets   []string // of them, those that nobody may see
	url       *urlForm // nil: it is none
}

// Expansion is one word at one index.
type Expansion struct {
	Text string
	// Stable is Text with everything that may differ between two runs of the same
	// item held constant, and each secret replaced by its name.
	Stable string
	// Secrets are the values that must not be shown anywhere, none of them empty,
	// the longest first: those that secret gave, and where a function or a
	// condition worked on one, the whole of Text and the part that differs by it.
	Secrets []string
	// FromItem says that Text is a whole URL or path, and what it is the item says alone.
	FromItem bool
}

// Parse parses one word. An error is an *Error of the kind Syntax; a field or
// function that doesn't exist is one, also in a branch that would not be taken.
func Parse(word string) (*Template, error) { return parseWith(word, nil) }

// parseWith parses a word that may also name these fields of Statement.
func parseWith(word string, more []string) (*Template, error) {
	t := &Template{word: word}
	if !strings.Contains(word, left) {
		return t, nil
	}
	tree, err := grow(word)
	if err != nil {
		return nil, err
	}
	t.tree = tree
	w := walker{more: more}
	w.list(tree.Root, root)
	if w.err != nil {
		w.err.Word = word
		return nil, w.err
	}
	t.usesIndex, t.usesTask, t.usesItem, t.usesSlot = w.usesIndex, w.usesTask, w.usesItem, w.usesSlot
	t.variables, t.secrets = w.variables, w.secrets
	return t, nil
}

// grow gives the tree of a word that is one template.
func grow(word string) (*parse.Tree, error) {
	trees, err := parse.Parse(name, word, left, right, parseFuncs(), parseBuiltins())
	if err != nil {
		return nil, &Error{Kind: Syntax, Word: word, Cause: errors.New(plain(err)), Hint: syntaxHint(err)}
	}
	if len(trees) != 1 {
		return nil, &Error{Kind: Syntax, Word: word, Cause: errNested}
	}
	return trees[name], nil
}

// UsesIndex tells whether the word names .Index, .RawIndex, .Shard or .Item.
func (t *Template) UsesIndex() bool { return t.usesIndex }

// UsesTask tells whether the word names .Task, .TaskID or .Meta.
func (t *Template) UsesTask() bool { return t.usesTask }

// Word gives the template as it was written.
func (t *Template) Word() string { return t.word }

// Variables gives the names that the word hands to env and secret, also in branches that
// aren't taken; what it calculates isn't among them.
func (t *Template) Variables() []string { return t.variables }

// Secrets gives the names that the word hands to secret, as Variables does.
func (t *Template) Secrets() []string { return t.secrets }

// Expand gives the word at one index, whole or not at all. An error is an *Error.
// Each file is read once, so that Text and Stable speak of the same content.
func (t *Template) Expand(f Fields, s Sources) (Expansion, error) {
	if t.tree == nil {
		return Expansion{Text: t.word, Stable: t.word}, nil
	}
	s.ReadFile = once(s.ReadFile)
	real := &execution{fields: f, sources: s}
	text, err := t.execute(real)
	if err != nil {
		return Expansion{}, t.explain(real, err)
	}
	e := Expansion{Text: text, Secrets: t.told(real, text), FromItem: t.url != nil && t.url.whole}
	if e.Stable, err = t.execute(&execution{fields: stableFields(f), sources: s, named: true, stable: true}); err != nil {
		// What is held constant doesn't fit: the word's own text is constant too.
		e.Stable = t.word
	}
	return e, nil
}

func (t *Template) execute(x *execution) (string, error) {
	if t.url != nil {
		return t.url.run(x, t.tree)
	}
	return x.run(t.tree)
}

// run evaluates a template that is a word.
func (x *execution) run(tree *parse.Tree) (string, error) {
	text, err := x.text(tree)
	if err == nil && strings.IndexByte(text, 0) >= 0 {
		return "", errNUL
	}
	return text, err
}

// text evaluates a template.
func (x *execution) text(tree *parse.Tree) (string, error) {
	e := evaluation{x: x, out: &bounded{}}
	if err := e.list(nil, tree.Root); err != nil {
		return "", err
	}
	return e.out.String(), nil
}

// explain makes the Error of an execution's. Messages may quote values, so where a
// secret was read only one that the secret's name alone explains as well is shown.
func (t *Template) explain(x *execution, err error) error {
	hidden := false
	if len(x.secrets) > 0 {
		_, named := t.execute(&execution{fields: x.fields, sources: x.sources, named: true})
		if named != nil && x.reveal(named.Error()) == err.Error() {
			err = named
		} else {
			hidden = true
		}
	}
	e := &Error{Kind: BadForItem, Word: t.word, Cause: errors.New(plain(err))}
	if own, ok := errors.AsType[*Error](err); ok {
		e.Kind, e.Cause, e.Hint = own.Kind, own.Cause, own.Hint
	}
	if hidden {
		e.Cause, e.Hint = errors.New("it can't be executed (why is not shown, for it has a secret)"), ""
	}
	return e
}

// plain takes the parser's own prefix away: "template: word:1: …".
func plain(err error) string {
	s := strings.TrimPrefix(err.Error(), "template: word:")
	if at := strings.Index(s, ": "); strings.HasPrefix(err.Error(), "template: word:") && at >= 0 {
		s = s[at+2:]
	}
	// What only stands in for names of the template isn't said.
	return strings.NewReplacer(orUnset, "", orNone, "", "$."+allOfMeta, ".Meta").Replace(s)
}

func syntaxHint(err error) string {
	text := err.Error()
	has := func(part string) bool { return strings.Contains(text, part) }
	hint := `for a literal <<, as in a here-document, write <<"<<">>`
	switch {
	case has("illegal number syntax"), has("bad character"), has("in operand"):
		return `arithmetic is by functions, <<add .Index 1>> or <<mod .Index 5>>, and a field of any name is <<field "x-y">>; ` + hint
	case has("not defined"):
		return hint + "; the functions are " + functionNames() + `; a field of any name is <<field "my name">>`
	}
	return hint
}

// bounded is the text of one word, which may not grow without end.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, errTooLong()
	}
	return b.Builder.Write(p)
}
