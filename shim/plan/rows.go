package plan

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/fetch"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/shard"
	"nth/shim/source"
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
	rows, read := "rows", "readers read"
	if m.Rows == 1 {
		rows = "row"
	}
	if m.Readers == 1 {
		read = "reader reads"
	}
	s := fmt.Sprintf("%s has %d %s in %s; %d %s %s of it in all", m.URL, m.Rows, rows, sized(m.Bytes), m.Readers, read, sized(m.Read))
	if m.Read > m.Indexed {
		scans := "up to its row"
		if m.each {
			scans = "all of it"
		}
		s += fmt.Sprintf(", for without --markers each of them scans %s; with --markers it is %s, and one scan", scans, sized(m.Indexed))
	}
	return s
}

// rows plans indexes whose items are rows of a file. The rows are visited one after the
// other, and none is kept.
type rows struct {
	*builder
	from  *source.Mapping
	total int64 // rows of the file that is visited
}

// addAll adds n indexes; those that name the same file are read in one go.
func (p *rows) addAll(n int64) error {
	for k := int64(0); p.each() && k < n; k++ {
		if r, err := p.at(k); err != nil {
			continue // it is told below
		} else if _, err := expand.Shard(1, r.Identity); err != nil {
			return err
		}
	}
	for k := int64(0); k < n; {
		if r, err := p.accepted(k); err != nil {
			return err
		} else if r == nil {
			k++
			continue
		}
		url, err := p.url(k)
		if err != nil {
			return err
		}
		end := k + 1
		for ; end < n; end++ {
			if !p.has(end, url) {
				break // an error is found again
			}
		}
		if err := p.addRows(url, k, end, k == 0 && end == n); err != nil {
			return err
		}
		k = end
	}
	return nil
}

// url gives the file of an index.
func (p *rows) url(k int64) (expand.Text, error) {
	r, err := p.at(k)
	if err != nil {
		return expand.Text{}, err
	}
	x := r.Expander(r.Fields(), r.Secrets)
	url := x.Named(p.from.Tasks())
	return url, x.Err
}

// has tells whether an index has this file.
func (p *rows) has(k int64, url expand.Text) bool {
	if !p.from.Tasks().UsesIndex() {
		_, err := p.at(k)
		return err == nil
	}
	next, err := p.url(k)
	return err == nil && next.Value == url.Value
}

// identify gives the identity of the k-th of the planned runs, which accepts its index.
func (p *rows) identify(k int64) identity.Identity { return p.known(k).Identity }

// known is at for a run that accepts its index.
func (p *rows) known(k int64) *item.Run {
	r, _ := p.at(k)
	return r
}

func (p *rows) each() bool { return p.run.Config.Mapping.Each }

// addRows adds the indexes from, up to but without to, which are rows of one manifest.
func (p *rows) addRows(url expand.Text, from, to int64, alone bool) error {
	// Nothing is written: the plan has no part in the manifest's index.
	m, err := manifest.Open(context.Background(), p.run.Stores, url.Value, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	var cost manifest.Cost
	err = p.retry(m, func(ctx context.Context) (err error) {
		if p.each() {
			cost, err = m.CostOfParts(ctx, shard.BatchRows, func(rows int64) iter.Seq[manifest.Part] { return p.parts(rows, from, to) })
		} else {
			cost, err = m.Cost(ctx, p.numbers(from, to))
		}
		return err
	})
	if err != nil {
		return err
	}
	planned := PlannedManifest{URL: p.run.Secrets.Hide(m.Show()), Rows: cost.Rows, Bytes: cost.Size, Read: cost.Indexed, Indexed: cost.Indexed, each: p.each()}
	if p.run.Config.Markers.URL == "" {
		planned.Read = cost.Scanned
	}
	p.total = cost.Rows
	end := from
	for ; end < to && p.first(end) < cost.Rows; end++ {
		planned.Readers++
	}
	p.to.manifest(planned)
	if err := p.visit(m, from, end); err != nil {
		return err
	}
	if !p.each() {
		p.compare(planned, end, to, alone)
		return nil
	}
	for k := end; k < to; k++ {
		if err := p.row(p.known(k), nil); err != nil { // it has no part
			return err
		}
	}
	return nil
}

// rows are those of indexes that have one each.
func (p *rows) numbers(from, to int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for k := from; k < to && yield(p.identify(k).Index); k++ {
		}
	}
}

// parts are those of indexes that share the rows out.
func (p *rows) parts(rows, from, to int64) iter.Seq[manifest.Part] {
	return func(yield func(manifest.Part) bool) {
		for k := from; k < to; k++ {
			if s, err := expand.Shard(rows, p.identify(k)); err == nil && s != nil && s.Len() > 0 && !yield(manifest.Part{From: s.Start, To: s.End}) {
				return
			}
		}
	}
}

// first is the row that an index begins with.
func (p *rows) first(k int64) int64 {
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
func (p *rows) part(id identity.Identity) *templates.Shard {
	if !p.each() {
		return nil
	}
	s, _ := expand.Shard(p.total, id) // addAll has seen to it that each has one
	return s
}

// compare finds indexes without a row, and rows without an index.
func (p *rows) compare(m PlannedManifest, end, to int64, alone bool) {
	if len(p.findings) >= maxFindings { // there is a file for each index
		if len(p.findings) == maxFindings && end < to {
			p.findings = append(p.findings, "… and more indexes have no row")
		}
		return
	}
	if end < to {
		var beyond group
		for k := end; k < to; k++ {
			beyond.add(p.identify(k).Index)
		}
		p.findings = append(p.findings, fmt.Sprintf("indexes %s have no row: %s has %d, counted from 0", &beyond, m.URL, m.Rows))
	}
	n := p.run.Config.Index.Completions
	if !alone || n == nil {
		return
	}
	beyondLast := *n
	if p.run.Config.Index.Indexes == "" {
		beyondLast = p.identify(to-1).Index + 1
	}
	if beyondLast < m.Rows {
		p.findings = append(p.findings, fmt.Sprintf("rows from %d on are no index's: %s has %d, and the Job %d indexes", beyondLast, m.URL, m.Rows, *n))
	}
}

// visit adds indexes that have rows.
func (p *rows) visit(m *manifest.Manifest, k, end int64) error {
	if k == end {
		return nil
	}
	last := p.first(end - 1)
	return p.retry(m, func(ctx context.Context) error {
		return m.Rows(ctx, p.first(k), last+1, func(i int64, row manifest.Row) error {
			if i != p.first(k) {
				return nil
			}
			r := p.known(k)
			k++
			if row.Err != nil {
				return p.bad(r, p.fail(row.Err, m))
			}
			task := &templates.Task{Payload: row.Payload()}
			if !p.from.Tasks().UsesIndex() {
				task.Columns = row.Columns // of all indexes
			}
			return p.row(r, task)
		})
	})
}

// row adds an index with the first row of its part, or with its own.
func (p *rows) row(r *item.Run, row *templates.Task) error {
	return p.add(r, p.part(r.Identity), row)
}

// retry asks the manifest's store until it answers.
func (p *rows) retry(m *manifest.Manifest, do func(context.Context) error) error {
	err := store.Retry(context.Background(), p.run.FirstAccess(), func(ctx context.Context) error { return fetch.Final(do(ctx)) }, nil)
	if err == nil {
		return nil
	}
	return p.fail(err, m)
}

// fail gives a manifest's error as a failure.
func (p *rows) fail(err error, m *manifest.Manifest) error {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	on := m.Show()
	if e, ok := errors.AsType[*manifest.Error](err); ok {
		return &failure.Failure{Code: failure.BadIndex, Tried: "read the manifest", On: on, Cause: e.Cause, Hint: e.Hint}
	}
	f := store.Fail(err, failure.TheJob, "read the manifest", on)
	if store.Classify(err) == contract.Absent {
		f.Code, f.Hint = failure.NoInput, fetch.NoFile
	}
	return f
}
