package shim

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task/manifest"
	"nth/templates"
)

// PlannedManifest is a manifest that indexes take their rows from, and what they read of
// it, in bytes.
type PlannedManifest struct {
	URL     string `json:"url"` // without credentials
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	Readers int64  `json:"readers"`
	// Read is what all of them read, Indexed what it is with --markers: the rows' offsets
	// are kept there.
	Read    int64 `json:"read_bytes"`
	Indexed int64 `json:"indexed_bytes"`

	each bool // a reader has a part of the rows
}

// String tells what there is to read.
func (m PlannedManifest) String() string {
	s := fmt.Sprintf("%s has %d rows in %s; %d readers read %s of it in all", m.URL, m.Rows, sized(m.Bytes), m.Readers, sized(m.Read))
	if m.Read > m.Indexed {
		scans := "up to its row"
		if m.each {
			scans = "all of it"
		}
		s += fmt.Sprintf(", for without --markers each of them scans %s; with --markers it is %s, and one scan", scans, sized(m.Indexed))
	}
	return s
}

// sized gives a size in decimal units, as disks and networks have them.
func sized(n int64) string {
	f, units := float64(n), []string{"bytes", "kB", "MB", "GB", "TB", "PB"}
	for len(units) > 1 && f >= 999.95 {
		f, units = f/1000, units[1:]
	}
	if units[0] == "bytes" {
		return strconv.FormatInt(n, 10) + " bytes"
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + units[0]
}

// rowPlan plans indexes whose items are rows of a manifest. The rows are visited one
// after the other, and none is kept.
type rowPlan struct {
	*Plan
	run      *run
	identify func(k int64) identity.Identity
	twins    *twins
	total    int64 // rows of the manifest that is visited
}

// addAll adds n indexes; those that name the same manifest are read in one go.
func (p *rowPlan) addAll(n int64) error {
	for k := int64(0); k < n; {
		url, err := p.url(k)
		if err != nil {
			return err
		}
		end := k + 1
		for ; end < n; end++ {
			if next, err := p.url(end); err != nil || next.value != url.value {
				break // the error is found again
			}
		}
		if err := p.addRows(url, k, end, k == 0 && end == n); err != nil {
			return err
		}
		k = end
	}
	return nil
}

// url gives the manifest of an index.
func (p *rowPlan) url(k int64) (text, error) {
	x := expander{fields: fields(p.identify(k), p.run.RunID), sources: p.run.sources()}
	url := x.expand("--tasks", p.run.mapping.tasks)
	p.run.item = &item{secrets: x.secrets}
	return url, x.err
}

// addRows adds the indexes from, up to but without to, which are rows of one manifest.
func (p *rowPlan) addRows(url text, from, to int64, alone bool) error {
	// Nothing is written: the plan has no part in the manifest's index.
	m, err := manifest.Open(context.Background(), url.value, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	var cost manifest.Cost
	err = p.retry(m, func(ctx context.Context) (err error) {
		if p.run.Mapping.Each {
			cost, err = m.CostOfParts(ctx, batchRows, func(rows int64) iter.Seq[manifest.Part] { return p.parts(rows, from, to) })
		} else {
			cost, err = m.Cost(ctx, p.rows(from, to))
		}
		return err
	})
	if err != nil {
		return err
	}
	planned := PlannedManifest{URL: p.run.mask(m.Show()), Rows: cost.Rows, Bytes: cost.Size, Read: cost.Indexed, Indexed: cost.Indexed, each: p.run.Mapping.Each}
	if p.run.Markers.URL == "" {
		planned.Read = cost.Scanned
	}
	p.total = cost.Rows
	end := from
	for ; end < to && p.first(end) < cost.Rows; end++ {
		planned.Readers++
	}
	p.Manifests = append(p.Manifests, planned)
	if err := p.visit(m, from, end); err != nil {
		return err
	}
	if !p.run.Mapping.Each {
		p.compare(planned, end, to, alone)
		return nil
	}
	for k := end; k < to; k++ {
		p.row(p.identify(k), nil) // it has no part
	}
	return nil
}

// rows are those of indexes that have one each.
func (p *rowPlan) rows(from, to int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for k := from; k < to && yield(p.identify(k).Index); k++ {
		}
	}
}

// parts are those of indexes that share the rows out.
func (p *rowPlan) parts(rows, from, to int64) iter.Seq[manifest.Part] {
	return func(yield func(manifest.Part) bool) {
		for k := from; k < to; k++ {
			if s := shardOf(rows, p.identify(k)); s != nil && s.Len() > 0 && !yield(manifest.Part{From: s.Start, To: s.End}) {
				return
			}
		}
	}
}

// first is the row that an index begins with.
func (p *rowPlan) first(k int64) int64 {
	id := p.identify(k)
	if s := p.part(id); s != nil {
		if s.Len() == 0 {
			return p.total
		}
		return s.Start
	}
	return id.Index
}

// part is that of an index; nil where each has one row.
func (p *rowPlan) part(id identity.Identity) *templates.Shard {
	if !p.run.Mapping.Each {
		return nil
	}
	return shardOf(p.total, id)
}

// compare finds indexes without a row, and rows without an index.
func (p *rowPlan) compare(m PlannedManifest, end, to int64, alone bool) {
	var beyond []int64
	for k := end; k < to; k++ {
		beyond = append(beyond, p.identify(k).Index)
	}
	if len(beyond) > 0 {
		p.Findings = append(p.Findings, fmt.Sprintf("indexes %s have no row: %s has %d, counted from 0", identity.FormatList(beyond), m.URL, m.Rows))
	}
	if n := p.run.Index.Completions; alone && n != nil && *n+p.run.Index.IndexOffset < m.Rows {
		p.Findings = append(p.Findings, fmt.Sprintf("rows from %d on are no index's: %s has %d, and the Job %d indexes", *n+p.run.Index.IndexOffset, m.URL, m.Rows, *n))
	}
}

// visit adds indexes that have rows.
func (p *rowPlan) visit(m *manifest.Manifest, k, end int64) error {
	if k == end {
		return nil
	}
	last := p.first(end - 1)
	return p.retry(m, func(ctx context.Context) error {
		return m.Rows(ctx, p.first(k), last+1, func(i int64, row manifest.Row) error {
			if i != p.first(k) {
				return nil
			}
			id := p.identify(k)
			k++
			if row.Err != nil {
				p.bad(id, p.fail(row.Err, m))
				return nil
			}
			p.row(id, &templates.Task{Payload: row.Payload()})
			return nil
		})
	})
}

// row adds an index with the first row of its part, or with its own.
func (p *rowPlan) row(id identity.Identity, row *templates.Task) {
	p.add(id, p.part(id), row, p.run.mapping, p.run.sources(), p.run.RunID, p.twins)
}

// retry asks the manifest's store until it answers. A scan may take longer than another
// call: it has all of --store-wait.
func (p *rowPlan) retry(m *manifest.Manifest, do func(context.Context) error) error {
	err := store.Retry(context.Background(), store.Policy{Window: p.run.Stores.StoreWait}, func(ctx context.Context) error { return final(do(ctx)) }, nil)
	if err == nil {
		return nil
	}
	return p.fail(err, m)
}

// fail gives a manifest's error as a failure.
func (p *rowPlan) fail(err error, m *manifest.Manifest) error {
	on := p.run.mask(m.Show())
	if e, ok := errors.AsType[*manifest.Error](err); ok {
		return &failure.Failure{Code: failure.BadIndex, Tried: "read the manifest", On: on, Cause: e.Cause, Hint: e.Hint}
	}
	f := store.Fail(err, failure.TheJob, "read the manifest", on)
	if store.Classify(err) == contract.Absent {
		f.Code = failure.NoInput
	}
	return f
}
