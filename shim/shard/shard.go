// Package shard is a run that works through the index's part of many items, numbers or the
// rows of a file, with the same command for each: with --each.
package shard

import (
	"context"
	"errors"
	"strconv"

	"nth/shim/config"
	"nth/shim/end"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/marker"
	"nth/shim/once"
	"nth/shim/output"
	"nth/shim/record"
	"nth/shim/source"
	"nth/templates"
)

// shard is an index's part of the items, and what commands are made of.
type shard struct {
	*once.Way
	templates.Shard
	total int64   // items of all indexes
	rows  *rows   // of a file; nil: the items are only numbers
	help  *helper // of other indexes, and from them (--share); nil: there is none
	maker *maker
}

// Run works through the shard of an index.
func Run(ctx context.Context, r *item.Run, from *source.Mapping, e *end.Ending) end.Report {
	report := end.Report{Header: r.Header()}
	sh := &shard{Way: &once.Way{Run: r, Ending: e}}
	it, err := sh.expand(ctx, from, &report)
	if sh.rows != nil {
		defer sh.rows.m.Close()
	}
	if err != nil {
		report.Err = err
		return report
	}
	return sh.Do(ctx, it, sh.work)
}

// expand settles everything that the items have in common.
func (sh *shard) expand(ctx context.Context, from *source.Mapping, report *end.Report) (it item.Item, err error) {
	if err := sh.Step(ctx, "expand"); err != nil {
		return it, err
	}
	x := sh.Expander(sh.Fields(), sh.Secrets)
	x.Fields.Slot = nil // that is an item's
	shared, err := sh.Mapping.Shared(x)
	if err != nil {
		return it, err
	}
	if sh.Record, err = record.Open(ctx, sh.Process, sh.Config.Markers, sh.Config.Stores, shared.Markers.Value); err != nil {
		return it, err
	}
	report.Record = sh.Record
	sh.total = sh.Mapping.Items
	h := sh.Header()
	if sh.Config.Source() == config.Rows {
		address := x.Named(from.Tasks())
		if x.Err != nil {
			return it, x.Err
		}
		if sh.rows, err = openRows(ctx, sh.Way, from, address.Value); err != nil {
			return it, err
		}
		sh.total, h.Manifest = sh.rows.total, &marker.Manifest{URL: sh.Secrets.Hide(sh.rows.shown), Version: sh.rows.version}
		report.Header = h
	}
	part, err := expand.Shard(sh.total, sh.Identity)
	if err != nil {
		return it, err
	}
	if part != nil { // else there are no items at all
		sh.Shard = *part
	}
	x.Fields.Kind, x.Fields.Shard = sh.kind(), &sh.Shard
	if it.Places, err = sh.Mapping.Places(x); err != nil {
		return it, err
	}
	report.QuitURL = it.Places.QuitURL
	if sh.maker, err = newMaker(sh, x.Fields); err != nil {
		return it, err
	}
	h.Command = sh.Config.Command
	h.Shard = &marker.Shard{Items: sh.total, Start: sh.Start, End: sh.End}
	if h.Digest, err = sh.digest(ctx, h); err != nil {
		return it, err
	}
	it.Kind, it.Header = templates.IndexItem, h
	report.Header = h
	sh.Log.Info().Strs("command", h.Command).Int64("start", sh.Start).Int64("end", sh.End).Int64("items", sh.total).Msg("expanded")
	sh.Output, err = output.Open(ctx, sh.Process, it.Places.Logs.Value, sh.Config.Stores.StoreTimeout)
	return it, err
}

// kind is that of the shard's items.
func (sh *shard) kind() templates.ItemKind {
	switch shared := sh.Config.Mapping.Share; {
	case shared && sh.rows != nil:
		return templates.SharedRowItem
	case shared:
		return templates.SharedNumberItem
	case sh.rows != nil:
		return templates.ShardRowItem
	}
	return templates.NumberItem
}

// digest covers the templates, the shard, and the stable expansion of its first item,
// which has what the templates read from elsewhere. A template that no item could have is
// found here, before any of them runs. Where items are shared it is the same for all indexes.
func (sh *shard) digest(ctx context.Context, h marker.Header) (string, error) {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	content := marker.Content{Command: sh.Config.Command, Env: sh.Config.Mapping.Env, Extra: sh.Mapping.Digest,
		Task: []string{"shard", number(sh.total), number(sh.Start), number(sh.End)}}
	first, none := sh.Start, sh.Len() == 0
	if sh.Config.Mapping.Share {
		first, none = 0, sh.total == 0
		content.Task = []string{"share", number(sh.total), number(*sh.Identity.Total())}
	}
	if m := h.Manifest; m != nil {
		content.Task = append(content.Task, m.URL, m.Version)
	}
	if none {
		return content.Digest(), nil
	}
	row, err := sh.rows.first(ctx, first)
	if err != nil {
		return "", err
	}
	words, err := sh.whole(row, sh.Secrets)
	if f, ok := errors.AsType[*failure.Failure](err); ok && f.Code != failure.BadIndex {
		return "", err
	}
	if err == nil {
		content.Task = append(append(content.Task, words.StableCommand...), words.StableEnv...)
	}
	return content.Digest(), nil
}

// work is the shard's own in the way that every item goes.
func (sh *shard) work(ctx context.Context, it item.Item, in once.Inputs) (once.Outcome, error) {
	t := &tally{at: sh.Start, verdicts: verdicts{settled: sh.settled, look: sh.Signals.Look}, others: others{kick: make(chan struct{}, 1)}}
	if err := sh.Step(ctx, "resume"); err != nil {
		return once.Outcome{}, err
	}
	if err := sh.resume(ctx, it, t); err != nil {
		return once.Outcome{}, err
	}
	if err := sh.Step(ctx, "items"); err != nil {
		return once.Outcome{}, err
	}
	if err := in.Held(); err != nil {
		return once.Outcome{}, err
	}
	if sh.Config.Mapping.Share && sh.total > 0 {
		var err error
		if sh.help, err = sh.newHelper(it, t); err != nil {
			return once.Outcome{}, err
		}
	}
	return sh.items(ctx, it, in, t)
}
