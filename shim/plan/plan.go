// Package plan tells what a Job's runs will do before there are any: what each index runs,
// what a pod would refuse, and which mistakes can be seen from that.
package plan

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/identity"
	"nth/shim/item"
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
	Items   string   `json:"items,omitempty"` // with --each: the command is that of the first of them
	Error   string   `json:"error,omitempty"`
}

// Plan is what every index would run, and the mistakes that can be seen from it.
type Plan struct {
	Items     []Planned         `json:"items"`
	Manifests []PlannedManifest `json:"manifests,omitempty"`
	Findings  []string          `json:"findings"`
	code      failure.Code
}

// maxFindings bounds how many groups of equal commands are told.
const maxFindings = 20

// New expands the command at every index of 0 to completions-1, or of --indexes. Nothing is
// run, and no store is asked but that of a file of rows. An error is a failure.
func New(c config.Config, process edge.Process) (*Plan, error) {
	if err := config.Check(config.Told{For: config.ForPlan, Config: &c, Completions: c.Index.Completions, Said: flags.Said(c)}); err != nil {
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
	m, err := item.Parse(&c)
	if err != nil {
		return nil, err
	}
	from, err := source.Parse(&c)
	if err != nil {
		return nil, err
	}
	p := &Plan{Findings: []string{}}
	b := &builder{Plan: p, run: item.Run{Process: process, Config: &c, Mapping: m}, runs: runs, twins: newTwins()}
	if c.Source() == config.NoSource {
		for k := range runs.Len() {
			if r := b.accepted(k); r != nil {
				b.number(r)
			}
		}
	} else if err := (&rows{builder: b, from: from}).addAll(runs.Len()); err != nil {
		return nil, err
	}
	switch {
	case p.code != 0:
	case !m.UsesIndex() && c.Source() == config.NoSource:
		p.Findings = append(p.Findings, "the command doesn't use the index: every index would run the same"+
			" (write <<.Index>> into it; fine only if it reads JOB_COMPLETION_INDEX itself)")
	default:
		p.Findings = append(p.Findings, b.twins.findings(p.Items)...)
	}
	if p.code == 0 && len(p.Findings) > 0 {
		p.code = 1
	}
	return p, nil
}

// builder adds one index after the other to a plan.
type builder struct {
	*Plan
	run   item.Run
	runs  identity.Runs
	twins *twins
}

// at is the k-th of the planned runs, and why it would refuse its index.
func (b *builder) at(k int64) (_ *item.Run, err error) {
	r := b.run
	r.Identity, err = b.runs.At(k)
	return &r, err
}

// accepted is at; where that run would refuse its index, it notes so and gives nil.
func (b *builder) accepted(k int64) *item.Run {
	r, err := b.at(k)
	if err != nil {
		b.bad(r, err)
		return nil
	}
	return r
}

// number adds an index that has a part of the numbered items, if there are any.
func (b *builder) number(r *item.Run) {
	part, err := expand.Shard(r.Mapping.Items, r.Identity)
	if err != nil {
		b.bad(r, err)
		return
	}
	b.add(r, part, nil)
}

// Code is 0, 1 when mistakes were found, or the exit code of the first index
// that can't be expanded.
func (p *Plan) Code() int { return int(p.code) }

// add adds an index with its part of the items, if it has many, and its row.
func (b *builder) add(r *item.Run, part *templates.Shard, row *templates.Task) {
	f := r.Fields()
	f.Task, f.Shard, f.Kind = row, part, b.kind()
	planned := Planned{Index: r.Identity.Index}
	if r.Config.Mapping.Each && part != nil {
		if planned.Items = span(*part); planned.Items == noItems {
			b.Items = append(b.Items, planned)
			return
		}
		f.Item = &part.Start
	}
	secrets := r.Secrets.Scope()
	defer secrets.End()
	words, places, err := r.Mapping.Expand(r.Expander(f, secrets))
	if err != nil {
		b.bad(r, err)
		return
	}
	b.twins.add(len(b.Items), words)
	hide := r.Secrets.Hide
	planned.Markers = hide(places.Markers.Value)
	for _, word := range words.Command {
		planned.Command = append(planned.Command, hide(word))
	}
	for _, assignment := range words.Env {
		planned.Env = append(planned.Env, hide(assignment))
	}
	for _, input := range places.Require {
		planned.Require = append(planned.Require, hide(input.Value))
	}
	b.Items = append(b.Items, planned)
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
func (p *Plan) bad(r *item.Run, err error) {
	f := failure.From(err)
	if p.code == 0 {
		p.code = f.Code
	}
	p.Items = append(p.Items, Planned{Index: r.Identity.Index, Error: r.Secrets.Hide(f.Error())})
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

// twins finds items that expand to the same command and variables.
type twins struct {
	groups map[[sha256.Size]byte]int
	lists  [][]int // positions of items
}

func newTwins() *twins { return &twins{groups: map[[sha256.Size]byte]int{}} }

func (t *twins) add(position int, w item.Words) {
	var b strings.Builder
	for _, list := range [][]string{w.Command, w.Env} {
		for _, part := range list {
			fmt.Fprintf(&b, "%d:%s", len(part), part)
		}
		b.WriteByte(';')
	}
	sum := sha256.Sum256([]byte(b.String()))
	g, ok := t.groups[sum]
	if !ok {
		g = len(t.lists)
		t.groups[sum] = g
		t.lists = append(t.lists, nil)
	}
	t.lists[g] = append(t.lists[g], position)
}

func (t *twins) findings(items []Planned) (found []string) {
	for _, positions := range t.lists {
		if len(positions) < 2 {
			continue
		}
		if len(found) == maxFindings {
			return append(found, "… and more indexes that expand to the same command")
		}
		indexes := make([]int64, len(positions))
		for i, p := range positions {
			indexes[i] = items[p].Index
		}
		found = append(found, fmt.Sprintf("indexes %s expand to the same command: %s",
			identity.FormatList(indexes), shellLine(items[positions[0]].Command)))
	}
	return found
}

// WriteText prints one line an index on out, and the findings on errs.
func (p *Plan) WriteText(out, errs io.Writer) error {
	w := bufio.NewWriter(out)
	for _, it := range p.Items {
		if it.Error != "" {
			fmt.Fprintf(errs, "nth: index %d: %s\n", it.Index, it.Error)
			continue
		}
		line := shellLine(slices.Concat(it.Env, it.Command))
		if it.Items != "" {
			line = strings.TrimLeft(line+"\t# items "+it.Items, "\t")
		}
		fmt.Fprintf(w, "%d\t%s\n", it.Index, line)
	}
	for _, m := range p.Manifests {
		fmt.Fprintf(errs, "nth: plan: %s\n", m)
	}
	for _, f := range p.Findings {
		fmt.Fprintf(errs, "nth: plan: %s\n", f)
	}
	return w.Flush()
}

// WriteJSON prints the plan as one JSON document.
func (p *Plan) WriteJSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(p)
}

// shellLine gives words as a line that a POSIX shell reads as just these words.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = templates.Quote(w)
	}
	return strings.Join(quoted, " ")
}
