package plan

import (
	"context"
	"errors"
	"time"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/look"
	"nth/shim/source"
	"nth/shim/store"
)

// Where says where the Job runs, as seen from who looks at its inputs.
type Where int

// Runs are here or elsewhere with the same volumes; on this very machine; or in pods, with
// volumes, variables and files of their own.
const (
	Here Where = iota
	Machine
	Pods
)

// patience is how long a store is asked that doesn't answer: a person waits.
const patience = 30 * time.Second

func (b *builder) settings(at Where) look.Settings {
	c := b.run.Config
	s := look.Settings{Files: at != Pods, Paths: at == Machine, Here: at != Pods,
		Listed: c.Lists(), Chosen: c.Source() == config.Rows, Part: c.Index.Indexes != "", Wait: c.Mapping.RequireWait, Exclude: c.Excluded()}
	switch source := c.Source(); {
	case source == config.Queue || source == config.Item:
		s.Unknown = "what --tasks will give isn't known yet"
	case c.Mapping.Each:
		s.Unknown, s.Many = "an index has many items", true
	}
	return s
}

// prove tells what is wrong with what the indexes read and write; ask: stores too. An error
// is the failure of a store.
func (b *builder) prove(ask bool) (err error) {
	if b.code != 0 {
		return nil // an index isn't known, and what it would take
	}
	for _, clash := range b.look.Clashes() {
		b.findings = append(b.findings, b.run.Secrets.Hide(clash))
	}
	if ask {
		err = b.ask()
	}
	if b.found != nil {
		b.findings = append(b.findings, b.found.Findings()...)
		b.notes = append(b.notes, b.found.Notes()...)
	}
	if len(b.findings) > 0 {
		b.code = 1
	}
	return err
}

// ask looks for the inputs.
func (b *builder) ask() (err error) {
	if b.look.Nothing() {
		return nil
	}
	c := b.run.Config
	w := look.World{Stores: b.run.Stores, Stat: b.run.Stat, Hide: b.run.Secrets.Hide, Markers: b.markers(),
		Policy: store.Policy{Window: min(patience, c.Stores.StoreWait), PerCall: c.Stores.StoreTimeout, Pieces: true}}
	if w.Markers != nil {
		defer w.Markers.Close()
	}
	b.found, err = b.look.Find(context.Background(), w)
	return err
}

// markers is the store of all indexes' markers; nil: there is none, or nobody knows.
func (b *builder) markers() *store.Store {
	markers, logs := b.run.Mapping.Markers(), b.run.Config.Markers.Logs
	r, err := b.at(0)
	if err != nil {
		return nil
	}
	x := r.Expander(r.Fields(), r.Secrets)
	b.look.Ours(logs)
	if b.run.Config.Markers.URL == "" || markers.UsesIndex() || markers.UsesTask() {
		return nil
	}
	at := x.Named(markers)
	if x.Err != nil {
		return nil // of the Job's name, say, which isn't known yet
	}
	b.look.Ours(at.Value)
	s, err := b.run.Stores.Open(context.Background(), at.Value)
	if err != nil {
		return nil
	}
	return s
}

// Look looks for the inputs of a Job that is about to begin; nil: it has none that could be
// looked for. What an index itself would refuse isn't told. An error is a failure.
func Look(c *config.Config, p edge.Process, at Where) (*look.Found, error) {
	m, err := item.Parse(c)
	if err != nil {
		return nil, err
	}
	b := &builder{run: item.Run{Process: p, Config: c, Mapping: m}, only: true, to: nowhere{}, sources: p.Sources()}
	if b.look, err = look.New(b.settings(at), m); err != nil || b.look.Nothing() {
		return nil, err
	}
	if b.runs, err = identity.Foresee(c.Index, p.Hostname); err != nil {
		return nil, err
	}
	varies, tasks := b.look.Varies()
	varies = varies || b.look.Shares() // whose it is, is told of each
	switch {
	case tasks:
		from, err := source.Parse(c)
		if err != nil {
			return nil, err
		}
		err = (&rows{builder: b, from: from}).addAll(b.runs.Len())
		if err != nil {
			return nil, err
		}
	case varies:
		err = b.addSome(b.runs.Len())
	default:
		err = b.addSome(min(1, b.runs.Len()))
	}
	clashes := b.look.Clashes()
	if err == nil {
		err = b.ask()
	}
	if b.found != nil {
		for i, clash := range clashes {
			clashes[i] = p.Secrets.Hide(clash)
		}
		b.found.Clashed(clashes)
	}
	return b.found, err
}

// Proved is the failure of a Job of whose runs each would refuse, or overwrite what another one
// has made; nil: there is none. Skip says what comes of --no-look.
func Proved(found *look.Found, skip string) error {
	if lacks := found.Lacks(); lacks != "" {
		return &failure.Failure{Code: failure.NoInput, Tried: "look for the inputs", Cause: errors.New(lacks),
			Hint: "correct the template or --completions, or give --no-look" + skip}
	}
	if clash := found.Clash(); clash != "" {
		return &failure.Failure{Code: failure.Setup, Tried: "compare the outputs", Cause: errors.New(clash),
			Hint: "only the last one's would be left: write <<.Index>> into the URL, or give --no-look"}
	}
	return nil
}

// nowhere is the output of a plan that nobody reads.
type nowhere struct{}

func (nowhere) item(Planned) error                     { return nil }
func (nowhere) manifest(PlannedManifest)               {}
func (nowhere) end(_, _ []string, _ *look.Found) error { return nil }
