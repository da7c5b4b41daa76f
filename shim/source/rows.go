package source

import (
	"context"
	"errors"
	"strings"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/fetch"
	"nth/shim/item"
	"nth/shim/store"
	"nth/shim/task/manifest"
	"nth/shim/task/objects"
	"nth/templates"
)

// Rows opens the numbered items at the URL of --tasks, which has been expanded, without
// asking anybody: the rows of a file, or objects. pins is where the markers are, nil for
// nowhere. An error is a failure with exit code 64 or 78.
func (m *Mapping) Rows(ctx context.Context, r *item.Run, address string, pins *store.Store) (fetch.Rows, error) {
	if !r.Config.Lists() {
		file, err := manifest.Open(ctx, r.Stores, address, pins)
		if err != nil {
			return nil, store.Of("--tasks", err)
		}
		file.Warn = func(err error) { r.Log.Warn().Msg("the rows' index: " + r.Said(err)) }
		return fetch.File{Manifest: file}, nil
	}
	spec := objects.Spec{URL: address, Exclude: r.Config.Excluded(), GroupBy: r.Config.Tasks.GroupBy, Ours: m.ours(r)}
	if spec.GroupBy != "" {
		var err error
		if spec.Group, err = m.group(r); err != nil {
			return nil, err
		}
	}
	list, err := objects.Open(ctx, r.Stores, spec, pins)
	if err != nil {
		return nil, store.Of("--tasks", err)
	}
	list.Warn = func(lacks string) { r.Log.Warn().Msg(r.Said(errors.New(list.Show() + ": " + lacks))) }
	list.Policy, list.Retrying, list.RunID = r.FirstAccess(), r.Retrying, r.RunID
	return fetch.Objects{List: list}, nil
}

// ours are the places below which nth writes: other Jobs' too, where only a template tells
// them apart.
func (m *Mapping) ours(r *item.Run) (all []string) {
	x := r.Expander(r.Fields(), r.Secrets)
	for _, t := range append(r.Mapping.All(), r.Mapping.Markers()) {
		if t.Name != "--markers" && t.Name != "--logs" {
			continue
		}
		if before, _, is := strings.Cut(t.Word(), "<<"); is {
			all = append(all, before[:strings.LastIndexByte(before, '/')+1])
		}
		if !t.UsesIndex() && !t.UsesTask() {
			all = append(all, x.Named(t).Value)
		}
	}
	return all
}

// group gives what --group-by makes of an object.
func (m *Mapping) group(r *item.Run) (func(objects.Named) (string, error), error) {
	t := m.groupBy
	f := r.Fields()
	f.Kind = templates.RowItem
	bound, err := t.Bind(f, r.Sources())
	if err != nil {
		return nil, failure.Expansion(t.Name, err)
	}
	return func(o objects.Named) (string, error) {
		var task templates.Task
		task.Payload, task.Fields, task.Columns = o.Fields()
		text, err := bound.Text(0, 0, &task)
		if err != nil {
			return "", failure.Expansion(t.Name, err).Cause
		}
		return text, nil
	}, nil
}

var errOfObject = errors.New("it names no field of an object, or one of an index")

// parseGroupBy reads --group-by, which is about the objects alone: the list is the same
// for all indexes.
func (p *parser) parseGroupBy(c *config.Config) expand.Named {
	n := expand.Named{Name: "--group-by", Template: p.One("--group-by", c.Tasks.GroupBy)}
	if n.Template != nil && (n.UsesIndex() || c.Tasks.GroupBy != "" && !n.UsesTask()) {
		p.Fail("--group-by", errOfObject, "such as '<<.Task.name | trimSuffix \"_R1.fq\" | trimSuffix \"_R2.fq\">>'")
	}
	if n.Template != nil && len(n.Secrets()) > 0 {
		p.Fail("--group-by", errors.New("it reads a secret, and a group's name is stored"), "name groups by the objects alone")
	}
	return n
}
