// Package index is a run whose item is its index: the index itself, what an HTTP API says
// of it, or the row of a file that has its number.
package index

import (
	"context"
	"net/http"
	"strings"

	"nth/shim/config"
	"nth/shim/end"
	"nth/shim/expand"
	"nth/shim/fetch"
	"nth/shim/item"
	"nth/shim/once"
	"nth/shim/output"
	"nth/shim/record"
	"nth/shim/source"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/templates"
)

// Run runs the one item of an index.
func Run(ctx context.Context, r *item.Run, from *source.Mapping, e *end.Ending) end.Report {
	report := end.Report{Header: r.Header()}
	of := r.Index()
	var kept record.Record
	if r.Config.Source() != config.NoSource {
		var err error
		if of, err = get(ctx, r, from, &report); err != nil {
			report.Err = err
			return report
		}
		kept = report.Record
	}
	it, err := expanded(ctx, r, of)
	if err != nil {
		report.Err, report.Header = err, of.Header
		return report
	}
	r.Log.Info().Strs("command", it.Words.StableCommand).Msg("expanded")
	report.Header, report.QuitURL = it.Header, it.Places.QuitURL
	way := &once.Way{Run: r, Record: kept, Ending: e}
	if !kept.Kept() {
		way.Record, err = record.Open(ctx, r.Process, r.Config.Markers, r.Config.Stores, it.Places.Markers.Value)
	}
	if err == nil {
		way.Output, err = output.Open(ctx, r.Process, it.Places.Logs.Value, r.Config.Stores.StoreTimeout)
	}
	if err != nil {
		report.Err, report.Record = err, way.Record
		return report
	}
	return way.Do(ctx, it, once.Command{Way: way, Drain: r.Config.Tasks.Drain}.Do)
}

func expanded(ctx context.Context, r *item.Run, of item.From) (item.Item, error) {
	if err := r.Step(ctx, "expand"); err != nil {
		return item.Item{}, err
	}
	return r.Make(of, r.Secrets)
}

// get fetches what the item is. What is known of the run meanwhile goes into the report.
func get(ctx context.Context, r *item.Run, from *source.Mapping, report *end.Report) (item.From, error) {
	if err := r.Step(ctx, "fetch"); err != nil {
		return item.From{}, err
	}
	x := r.Expander(r.Fields(), r.Secrets)
	shared, err := r.Mapping.Shared(x)
	report.QuitURL = shared.QuitURL
	address := x.Named(from.Tasks())
	if err == nil {
		err = x.Err
	}
	caller := from.Caller(r)
	if err == nil {
		_, err = caller.Headers()
	}
	if err != nil {
		return item.From{}, err
	}
	if r.Config.Source() == config.Rows {
		if report.Record, err = record.Open(ctx, r.Process, r.Config.Markers, r.Config.Stores, shared.Markers.Value); err != nil { // for the rows' offsets
			return item.From{}, err
		}
		of, err := row(ctx, r, from, address.Value, report)
		if from.Tasks().UsesIndex() {
			of.Task.Columns = nil // another index's file may have others
		}
		return of, err
	}
	return answer(ctx, r, address, caller.Headers)
}

// answer is the item that an HTTP API tells.
func answer(ctx context.Context, r *item.Run, address expand.Text, headers func() (http.Header, error)) (item.From, error) {
	of := item.From{Kind: templates.FetchedItem, Header: r.Header(), Attempt: r.Identity.Attempt}
	shown, _, _ := strings.Cut(contract.NoUser(address.Shown), "?")
	err := store.Retry(ctx, r.FirstAccess(), func(ctx context.Context) error {
		header, err := headers()
		if err != nil {
			return fetch.Final(err)
		}
		body, err := fetch.HTTP(ctx, address.Value, header)
		of.Task.Payload = string(body)
		return err
	}, r.Retrying)
	if err != nil {
		return of, fetch.Failed(err, of.Header.What(), shown)
	}
	return of, nil
}

// row is the item that has the index's number: a row of a file, or an object.
func row(ctx context.Context, r *item.Run, from *source.Mapping, address string, report *end.Report) (item.From, error) {
	of := item.From{Kind: templates.RowItem, Header: r.Header(), Attempt: r.Identity.Attempt}
	rows, err := from.Rows(ctx, r, address, report.Record.Store())
	if err != nil {
		return of, err
	}
	defer rows.Close()
	if err := rows.Ready(ctx); err != nil {
		return of, err
	}
	err = store.Retry(ctx, r.FirstAccess(), func(ctx context.Context) error {
		one, err := rows.Row(ctx, r.Identity.Index)
		if err != nil {
			return fetch.Final(err)
		}
		version, err := fetch.Version(ctx, rows)
		version.URL = r.Secrets.Hide(version.URL)
		for i := range one.Of {
			one.Of[i].URL = r.Secrets.Hide(one.Of[i].URL)
		}
		of.Task, of.Objects, of.Vouched, of.Gone = one.Task, one.Found, one.Vouched(), one.Gone
		of.Header.Manifest, of.Header.Objects = version, one.Of
		return err
	}, r.Retrying)
	if err != nil {
		return of, fetch.Failed(err, "", rows.Show())
	}
	return of, nil
}
