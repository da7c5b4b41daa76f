package forecast

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/fetch"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/screen"
	"nth/shim/source"
	"nth/shim/store"
)

// Count makes of --completions auto the number of items that --tasks names, which is then
// that of the indexes. With pin a list of objects is pinned, so that the runs have what was
// counted; else nothing is written. An error is a failure.
func Count(c *config.Config, p edge.Process, pin bool) error {
	if n := c.Index.Completions; n == nil || *n != identity.Auto {
		return nil
	}
	n, _, err := items(c, p, pin)
	if err == nil {
		c.Index.Completions = &n
	}
	return err
}

// items counts what --tasks names, and tells where that is.
func items(c *config.Config, p edge.Process, pin bool) (n int64, where string, err error) {
	c.Index.Completions = nil
	r := &item.Run{Process: p, Config: c, Identity: identity.Outside(c.Index, p.Hostname)}
	m, err := item.Parse(c)
	if err != nil {
		return 0, "", err
	}
	from, err := source.Parse(c)
	if err != nil {
		return 0, "", err
	}
	if err := countable(c, from); err != nil {
		return 0, "", err
	}
	r.Mapping = m
	rows, err := opened(r, from, pin)
	if err != nil {
		return 0, "", err
	}
	defer rows.Close()
	ctx := context.Background()
	if err := rows.Ready(ctx); err != nil {
		return 0, "", err
	}
	err = store.Retry(ctx, r.FirstAccess(), func(ctx context.Context) (err error) {
		n, err = rows.Len(ctx)
		return fetch.Final(err)
	}, r.Retrying)
	if err != nil {
		return 0, "", fetch.Failed(err, "", rows.Show())
	}
	if n == 0 {
		return 0, "", &failure.Failure{Code: failure.NoInput, Tried: "count the items", On: rows.Show(), Cause: errors.New("there is none")}
	}
	if list, ok := rows.(fetch.Objects); ok && pin {
		if lacks := list.Known().Lacks(); lacks != "" {
			screen.Tell(p.Stderr, "nth: %s: %s", rows.Show(), lacks)
		}
	}
	return n, rows.Show(), nil
}

// Beyond tells of rows or objects that are no index's; "": there are none, or it isn't known
// here: what can't be asked is the runs' to say.
func Beyond(c config.Config, p edge.Process) string {
	of := c.Index.Completions
	if of == nil || c.Source() != config.Rows || c.Mapping.Each {
		return ""
	}
	c.Stores.StoreWait, c.Stores.StoreTimeout = 0, min(c.Stores.StoreTimeout, patience)
	n, where, err := items(&c, p, false)
	if err != nil || n <= *of {
		return ""
	}
	what := "rows"
	if c.Lists() {
		what = "objects"
	}
	return p.Secrets.Hide(fmt.Sprintf("%s from %d on are no index's: %s has %d, and the Job %d indexes (--completions auto takes all)", what, *of, where, n, *of))
}

// patience is how long it may take to count what nothing depends on.
const patience = 2 * time.Second

// Pin pins what Count has counted, when nothing refuses the Job any more: what is pinned
// stays. An error is a failure.
func Pin(c config.Config, p edge.Process, counted int64) error {
	auto := int64(identity.Auto)
	c.Index.Completions = &auto
	if err := Count(&c, p, true); err != nil {
		return err
	}
	if n := *c.Index.Completions; n != counted {
		return &failure.Failure{Code: failure.Unavailable, Tried: "count the items", On: "--completions auto",
			Cause: fmt.Errorf("they were %d, and a moment later %d", counted, n), Hint: "run it again"}
	}
	return nil
}

// countable refuses where the number of items isn't that of the indexes.
func countable(c *config.Config, from *source.Mapping) error {
	why, hint := "", "give a number"
	switch {
	case c.Source() != config.Rows:
		why = "--tasks names neither a file of rows nor objects, which could be counted"
		hint = "the URL of a directory or of a prefix ends in a slash; else give a number"
	case c.Mapping.Each:
		why = "with --each an index has many items, and how many indexes share them is for you to say"
	case from.Tasks().UsesIndex():
		why = "--tasks names something else for each index"
	default:
		return nil
	}
	return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--completions auto", Cause: errors.New(why), Hint: hint}
}

// opened opens the items for who is none of the Job's runs.
func opened(r *item.Run, from *source.Mapping, pin bool) (fetch.Rows, error) {
	x := r.Expander(r.Fields(), r.Secrets)
	address := x.Named(from.Tasks())
	var pins *store.Store
	markers := r.Mapping.Markers()
	if r.Config.Markers.URL != "" && (pin || r.Config.Lists()) && !markers.UsesIndex() {
		where := x.Named(markers)
		if x.Err != nil {
			return nil, x.Err
		}
		var err error
		if pins, err = r.Stores.Open(context.Background(), where.Value); err != nil {
			return nil, err
		}
	}
	if x.Err != nil {
		return nil, x.Err
	}
	rows, err := from.Rows(context.Background(), r, address.Value, pins)
	if list, ok := rows.(fetch.Objects); ok {
		list.Looks = !pin
		return list, err
	}
	return rows, err
}
