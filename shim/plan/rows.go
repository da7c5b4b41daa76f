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
	"nth/shim/source"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task/manifest"
	"nth/templates"
)

// rows plans indexes whose items are rows of a file, or objects. The rows are visited one after the
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

// addRows adds the indexes from, up to but without to, whose items one URL names.
func (p *rows) addRows(url expand.Text, from, to int64, alone bool) error {
	m, planned, err := p.open(url, from, to)
	if err != nil {
		return err
	}
	defer m.Close()
	p.total = planned.Rows
	end := from
	for ; end < to && p.first(end) < p.total; end++ {
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
			p.findings = append(p.findings, "… and more indexes have no "+m.item())
		}
		return
	}
	if end < to {
		var beyond group
		for k := end; k < to; k++ {
			beyond.add(p.identify(k).Index)
		}
		p.findings = append(p.findings, fmt.Sprintf("indexes %s have no %s: %s has %d, counted from 0", &beyond, m.item(), m.URL, m.Rows))
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
		p.findings = append(p.findings, fmt.Sprintf("%ss from %d on are no index's: %s has %d, and the Job %d indexes", m.item(), beyondLast, m.URL, m.Rows, *n))
	}
}

// visit adds indexes that have rows.
func (p *rows) visit(m fetch.Rows, k, end int64) error {
	if k == end {
		return nil
	}
	last := p.first(end - 1)
	return p.retry(m, func(ctx context.Context) error {
		return m.Each(ctx, p.first(k), last+1, func(i int64, row fetch.Row) error {
			if i != p.first(k) {
				return nil
			}
			r := p.known(k)
			k++
			if row.Err != nil {
				return p.bad(r, p.fail(row.Err, m))
			}
			if p.from.Tasks().UsesIndex() {
				row.Columns = nil // another index's file may have others
			}
			return p.row(r, &row.Task)
		})
	})
}

// row adds an index with the first row of its part, or with its own.
func (p *rows) row(r *item.Run, row *templates.Task) error {
	return p.add(r, p.part(r.Identity), row)
}

// retry asks the manifest's store until it answers.
func (p *rows) retry(m fetch.Rows, do func(context.Context) error) error {
	err := store.Retry(context.Background(), p.run.FirstAccess(), func(ctx context.Context) error { return fetch.Final(do(ctx)) }, nil)
	if err == nil {
		return nil
	}
	return p.fail(err, m)
}

// fail gives a manifest's error as a failure.
func (p *rows) fail(err error, m fetch.Rows) error {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	on := m.Show()
	if e, ok := errors.AsType[*manifest.Error](err); ok {
		return &failure.Failure{Code: failure.BadIndex, Tried: "read the rows", On: on, Cause: e.Cause, Hint: e.Hint}
	}
	f := store.Fail(err, failure.TheJob, "read the rows", on)
	if store.Classify(err) == contract.Absent {
		f.Code, f.Hint = failure.NoInput, fetch.NoFile
	}
	return f
}
