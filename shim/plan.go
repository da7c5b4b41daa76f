package shim

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
	"nth/shim/failure"
	"nth/shim/identity"
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
	each      bool // an index has many items
}

// maxFindings bounds how many groups of equal commands are told.
const maxFindings = 20

// NewPlan expands the command at every index of 0 to completions-1, or of
// --indexes. Nothing is run, and no store is asked but that of a manifest.
func NewPlan(c Config, w World) (*Plan, error) {
	if c.Tasks.URL != "" && !(c.Source() == config.Rows) {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "plan", On: "--tasks", Cause: errors.New("which tasks there will be is the queue's to say"), Hint: "plan shows what each index runs, without a queue"}
	}
	if c.Mapping.Each && c.Index.Completions == nil {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "plan", On: "--each", Cause: errors.New("how many indexes share the items isn't given"), Hint: "give --completions"}
	}
	indexes, err := plannedIndexes(&c)
	if err != nil {
		return nil, err
	}
	m, err := parseMapping(&c)
	if err != nil {
		return nil, err
	}
	p := &Plan{Findings: []string{}, each: c.Mapping.Each}
	twins := newTwins()
	sources := (&run{World: w}).sources()
	identify := func(k int64) identity.Identity {
		i := indexes.At(k)
		return identity.Identity{Index: i + c.Index.IndexOffset, RawIndex: i, Completions: c.Index.Completions, Attempt: 1,
			Job: c.Index.Job, JobUID: c.Index.JobUID, Platform: c.Index.Platform, Hostname: w.Hostname}
	}
	if c.Tasks.URL == "" {
		for k := range indexes.Len() {
			id := identify(k)
			p.add(id, shardOf(m.items, id), nil, m, sources, w.RunID, twins)
		}
	} else if err := (&rowPlan{Plan: p, run: &run{Config: c, World: w, mapping: m}, identify: identify, twins: twins}).addAll(indexes.Len()); err != nil {
		return nil, err
	}
	switch {
	case p.code != 0:
	case !m.usesIndex() && c.Tasks.URL == "":
		p.Findings = append(p.Findings, "the command doesn't use the index: every index would run the same"+
			" (write <<.Index>> into it; fine only if it reads JOB_COMPLETION_INDEX itself)")
	default:
		p.Findings = append(p.Findings, twins.findings(p.Items)...)
	}
	if p.code == 0 && len(p.Findings) > 0 {
		p.code = 1
	}
	return p, nil
}

// Code is 0, 1 when mistakes were found, or the exit code of the first index
// that can't be expanded.
func (p *Plan) Code() int { return int(p.code) }

func plannedIndexes(c *Config) (identity.List, error) {
	switch {
	case c.Index.Indexes != "" && c.Index.IndexOffset != 0:
		return identity.List{}, &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: "--index-offset and --indexes",
			Cause: errors.New("the list already says which item it is"), Hint: "give one of them"}
	case c.Index.Indexes != "":
		return identity.ParseList(c.Index.Indexes)
	case c.Index.Completions != nil && *c.Index.Completions > 0:
		return identity.ParseList(fmt.Sprintf("0-%d", *c.Index.Completions-1))
	}
	return identity.List{}, &failure.Failure{Code: failure.Usage, Tried: "plan", Cause: errors.New("how many indexes there are isn't given"),
		Hint: "give --completions 100, or --indexes 0-9"}
}

func (p *Plan) add(id identity.Identity, part *templates.Shard, row *templates.Task, m *mapping, s templates.Sources, runID string, t *twins) {
	f := fields(id, runID)
	f.Task, f.Shard = row, part
	planned := Planned{Index: id.Index}
	if p.each && f.Shard != nil {
		if planned.Items = span(*f.Shard); planned.Items == noItems {
			p.Items = append(p.Items, planned)
			return
		}
		f.Item = &f.Shard.Start
	}
	it, err := m.expand(f, s)
	if err != nil {
		p.bad(id, err)
		return
	}
	t.add(len(p.Items), it)
	r := run{item: it}
	planned.Markers = r.mask(it.markers.value)
	for _, word := range it.command {
		planned.Command = append(planned.Command, r.mask(word))
	}
	for _, assignment := range it.env {
		planned.Env = append(planned.Env, r.mask(assignment))
	}
	for _, input := range it.require {
		planned.Require = append(planned.Require, r.mask(input.value))
	}
	p.Items = append(p.Items, planned)
}

// bad notes an index that can't be expanded.
func (p *Plan) bad(id identity.Identity, err error) {
	f := failure.From(err)
	if p.code == 0 {
		p.code = f.Code
	}
	p.Items = append(p.Items, Planned{Index: id.Index, Error: f.Error()})
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

func (t *twins) add(position int, it *item) {
	var b strings.Builder
	for _, list := range [][]string{it.command, it.env} {
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
