// Package plan tells what a Job's runs will do before there are any: what each index runs,
// what a pod would refuse, and which mistakes can be seen from that.
package plan

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/forecast"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/look"
	"nth/shim/source"
	"nth/templates"
)

// Planned is what one index would run. Secrets are masked.
type Planned struct {
	Index   int64    `json:"index"`
	Command []string `json:"command,omitempty"`
	Env     []string `json:"env,omitempty"`
	Markers string   `json:"markers,omitempty"`
	Require []string `json:"require,omitempty"`
	DoneIf  string   `json:"done_if,omitempty"`
	Logs    string   `json:"logs,omitempty"`
	Data
	Items string `json:"items,omitempty"` // with --each: the command is that of the first of them
	Error string `json:"error,omitempty"`
}

// Findings are told at most so many of a kind.
const maxFindings = 20

// Write writes what every index of 0 to completions-1 would run, or of --indexes, one after
// the other: of a million of them none is kept. Then come the mistakes that can be seen from
// it. Nothing is run, and no store is asked but those of a file of rows, or of objects, and of
// inputs. The code is 0, 1 when mistakes were found, or the exit code of the first index that
// can't be expanded. An error is a failure.
func Write(c Config, process edge.Process, to io.Writer) (code int, err error) {
	out := newText(to, process.Stderr)
	if c.Format == "json" {
		out = newJSON(to)
	}
	b, err := build(&c, process, out)
	if err != nil {
		return 0, err
	}
	unlooked := b.prove(!c.NoLook)
	if err := out.end(b.findings, b.notes, b.found); err != nil {
		return 0, err
	}
	return int(b.code), unlooked
}

func build(given *Config, process edge.Process, to output) (*builder, error) {
	c := &given.Config
	if err := forecast.Count(c, process, false); err != nil {
		return nil, err
	}
	if err := config.Check(config.Told{For: config.ForPlan, Config: c, Completions: c.Index.Completions, Said: flags.Said(*c)}); err != nil {
		return nil, err
	}
	runs, err := identity.Foresee(c.Index, process.Hostname)
	if err != nil {
		return nil, err
	}
	if runs.Len() == 0 {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "plan", Cause: errors.New("how many indexes there are isn't given"),
			Hint: "give --completions 100, or --indexes 0-9"}
	}
	m, err := item.Parse(c)
	if err != nil {
		return nil, err
	}
	from, err := source.Parse(c)
	if err != nil {
		return nil, err
	}
	b := &builder{run: item.Run{Process: process, Config: c, Mapping: m}, runs: runs, to: to, sources: process.Sources()}
	for _, k := range [...]int64{0, runs.Len() - 1} {
		if r, err := b.at(k); err != nil {
			continue // it is told of the index
		} else if err := forecast.Places(*r); err != nil {
			return nil, err
		}
	}
	if b.look, err = look.New(b.settings(Here), m); err != nil {
		return nil, err
	}
	if c.Source() == config.NoSource {
		err = b.addSome(runs.Len())
	} else {
		err = (&rows{builder: b, from: from}).addAll(runs.Len())
	}
	if err != nil {
		return nil, err
	}
	b.conclude(!m.UsesIndex() && c.Source() == config.NoSource)
	return b, nil
}

// addSome adds the first n indexes where none has a row.
func (b *builder) addSome(n int64) error {
	r := b.run // the one after the other
	for k := int64(0); k < n && !(b.only && b.look.Full()); k++ {
		var err error
		if r.Identity, err = b.runs.At(k); err != nil {
			err = b.bad(&r, err)
		} else {
			err = b.number(&r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// number adds an index that has a part of the numbered items, if there are any.
func (b *builder) number(r *item.Run) error {
	part, err := expand.Shard(r.Mapping.Items, r.Identity)
	if err != nil {
		return b.bad(r, err)
	}
	return b.add(r, part, nil)
}

// conclude finds what can be seen from all indexes together.
func (b *builder) conclude(same bool) {
	switch {
	case b.code != 0:
	case same:
		b.findings = append(b.findings, forecast.Same)
	default:
		b.compared(b.twins.findings("expand to the same command", "command"))
	}
}

// compared adds what was found of indexes that have something in common.
func (b *builder) compared(found []string, note string) {
	b.findings = append(b.findings, found...)
	if note != "" {
		b.notes = append(b.notes, note)
	}
}

// builder adds one index after the other to a plan.
type builder struct {
	run      item.Run
	runs     identity.Runs
	to       output
	sources  templates.Sources // of all expansions
	twins    twins             // of commands
	sum      []byte            // what is compared of one
	look     *look.Look
	found    *look.Found // by it; nil: nobody has looked
	only     bool        // the look is all that is wanted
	findings []string    // mistakes
	notes    []string    // what else there is to say of the plan
	code     failure.Code
}

// at is the k-th of the planned runs, and why it would refuse its index.
func (b *builder) at(k int64) (_ *item.Run, err error) {
	r := b.run
	r.Identity, err = b.runs.At(k)
	return &r, err
}

// accepted is at; where that run would refuse its index, it notes so and gives nil. The
// error is the output's.
func (b *builder) accepted(k int64) (*item.Run, error) {
	r, err := b.at(k)
	if err != nil {
		return nil, b.bad(r, err)
	}
	return r, nil
}

// add adds an index with its part of the items, if it has many, and its row. The error is
// the output's.
func (b *builder) add(r *item.Run, part *templates.Shard, row *templates.Task) error {
	f := r.Fields()
	f.Task, f.Shard, f.Kind = row, part, b.kind()
	x := &expand.Expander{Fields: f, Sources: b.sources, Secrets: r.Secrets}
	if b.only {
		b.look.Add(r.Identity.Index, x)
		return nil
	}
	planned := Planned{Index: r.Identity.Index}
	if r.Config.Mapping.Each && part != nil {
		if planned.Items = span(*part); planned.Items == noItems {
			return b.to.item(planned)
		}
		x.Fields.Item = &part.Start
	}
	secrets := r.Secrets.Scope()
	defer secrets.End()
	x.Secrets = secrets
	words, places, err := r.Mapping.Expand(x)
	if err != nil {
		return b.bad(r, err)
	}
	x.Secrets = r.Secrets // what it finds is told when the item is over
	b.look.Add(r.Identity.Index, x)
	hide := r.Secrets.Hide
	planned.Markers, planned.DoneIf, planned.Logs = hide(places.Markers.Value), hide(places.DoneIf.Value), hide(places.Logs.Value)
	planned.Command, planned.Env = hidden(words.Command, hide), hidden(words.Env, hide)
	for _, input := range places.Require {
		planned.Require = append(planned.Require, hide(input.Value))
	}
	planned.Data = dataOf(places.Data, hide)
	b.sum = appendSum(b.sum[:0], words, places.Data)
	if group := b.twins.add(sumOf(b.sum), planned.Index); group != nil {
		group.what = templates.Line(slices.Concat(planned.Command, planned.given()))
	}
	return b.to.item(planned)
}

// hidden gives words as they may be shown.
func hidden(words []string, hide func(string) string) []string {
	if len(words) == 0 {
		return nil
	}
	shown := make([]string, len(words))
	for i, word := range words {
		shown[i] = hide(word)
	}
	return shown
}

// kind is that of the planned items.
func (b *builder) kind() templates.ItemKind {
	rows := b.run.Config.Source() == config.Rows
	switch each := b.run.Config.Mapping.Each; {
	case each && rows:
		return templates.ShardRowItem
	case each:
		return templates.NumberItem
	case rows:
		return templates.RowItem
	}
	return templates.IndexItem
}

// bad notes an index that would fail before it runs anything.
func (b *builder) bad(r *item.Run, err error) error {
	f := failure.From(err)
	if b.code == 0 {
		b.code = f.Code
	}
	return b.to.item(Planned{Index: r.Identity.Index, Error: r.Secrets.Hide(f.Error())})
}

const noItems = "none"

func span(s templates.Shard) string {
	switch s.Len() {
	case 0:
		return noItems
	case 1:
		return fmt.Sprint(s.Start)
	}
	return fmt.Sprintf("%d-%d", s.Start, s.End-1)
}
