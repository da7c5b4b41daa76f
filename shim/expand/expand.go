// Package expand turns the templates of a configuration into what one item has in their
// place. It knows failures and secrets; the language itself is nth/templates.
package expand

import (
	"fmt"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/templates"
)

// Text is a word, URL or path, with the form in which it may be shown.
type Text struct {
	Value, Shown string
	Flag         string // how a person calls it
	FromItem     bool   // it is a whole URL or path, and what it is the item says alone
	OfTask       bool   // a payload has a part in it: what is wrong with it may be the payload's fault
}

// Named is a template by the name of the flag or word that it is.
type Named struct {
	Name string
	*templates.Template
}

// Fields are those that every template of a run may name.
func Fields(id identity.Identity, runID string) templates.Fields {
	return templates.Fields{
		Index: id.Index, RawIndex: id.RawIndex, Completions: id.Completions, Outgrown: id.Outgrown, Attempt: id.Attempt,
		Job: id.Job, JobUID: id.JobUID, Platform: id.Platform, RunID: runID, Hostname: id.Hostname, Slot: &id.Slot,
	}
}

// Shard gives an index's part of so many items; nil where there are none to share out. An
// index that isn't one of those that share them has none: a failure with exit code 78, and
// never the items of another.
func Shard(items int64, id identity.Identity) (*templates.Shard, error) {
	if items == 0 {
		return nil, nil
	}
	if err := id.Bounded("--items"); err != nil {
		return nil, err
	}
	if !id.Among() {
		return nil, &failure.Failure{Code: failure.Setup, Tried: "share out", On: fmt.Sprintf("%d items", items),
			Cause: fmt.Errorf("index %d is not known to be one of those that share them", id.Index), Hint: "give --completions, which counts the indexes of the whole Job from 0"}
	}
	s := templates.ShardOf(items, id.Index, *id.Total())
	return &s, nil
}

// Keeper takes the secrets that templates read: secrets.Set for good, secrets.Scope for a
// while.
type Keeper interface{ Add(values ...string) }

// Expander expands one template after the other, and keeps the first error.
type Expander struct {
	Fields  templates.Fields
	Sources templates.Sources
	Secrets Keeper
	// Objects are URLs that the item may say, whole, with the parameters by which the
	// command line has found them.
	Objects map[string]string
	Err     error // a failure with exit code 64, 65 or 78
}

// Text expands a template; what is how a person calls it.
func (x *Expander) Text(what string, t *templates.Template) Text {
	e, err := t.Expand(x.Fields, x.Sources)
	if err != nil && x.Err == nil {
		x.Err = failure.Expansion(what, err)
	}
	x.Secrets.Add(e.Secrets...)
	return Text{Value: e.Text, Shown: e.Stable, Flag: what, FromItem: e.FromItem, OfTask: t.UsesTask()}
}

// Named expands a template by its own name.
func (x *Expander) Named(n Named) Text { return x.Text(n.Name, n.Template) }
