package plan

import (
	"context"
	"fmt"
	"iter"
	"time"

	"nth/shim/expand"
	"nth/shim/fetch"
	"nth/shim/item"
	"nth/shim/store"
	"nth/shim/task/manifest"
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

	// Of a list of objects: how many they are, how many are left out, and since when an index
	// has its number. Bytes are those of all objects.
	Objects int64      `json:"objects,omitempty"`
	LeftOut int64      `json:"left_out,omitempty"`
	Pinned  *time.Time `json:"pinned,omitempty"`

	each bool // a reader has a part of the rows
}

// String tells what there is to read.
func (m PlannedManifest) String() string {
	if m.Objects > 0 {
		return m.objects()
	}
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

// item is what a row is called.
func (m PlannedManifest) item() string {
	switch {
	case m.Objects == 0:
		return "row"
	case m.Objects != m.Rows:
		return "group"
	}
	return "object"
}

// objects tells of a list of objects.
func (m PlannedManifest) objects() string {
	n := fmt.Sprintf("%d objects", m.Objects)
	if m.Objects == 1 {
		n = "1 object"
	}
	if m.Rows != m.Objects {
		n += fmt.Sprintf(" in %d groups", m.Rows)
	}
	s := fmt.Sprintf("%s has %s, %s in all", m.URL, n, sized(m.Bytes))
	if m.LeftOut > 0 {
		s += fmt.Sprintf("; %d more are left out by --tasks-exclude", m.LeftOut)
	}
	if m.Pinned != nil {
		return s + "; the list is that of " + m.Pinned.Format(time.RFC3339)
	}
	return s + "; the first index that runs, nth local or nth manifest with --completions auto, makes the list that counts"
}

// open finds out what the items of some indexes are. Nothing is written.
func (p *rows) open(url expand.Text, from, to int64) (fetch.Rows, PlannedManifest, error) {
	r := p.known(from)
	pins := p.pins(r)
	m, err := p.from.Rows(context.Background(), r, url.Value, pins)
	if err != nil {
		return nil, PlannedManifest{}, err
	}
	var planned PlannedManifest
	switch of := m.(type) {
	case fetch.File:
		planned, err = p.file(of, from, to)
	case fetch.Objects:
		of.Looks = true
		m = of
		if planned, err = p.list(of); err == nil && !p.only {
			p.since(of, pins, from, to)
		}
	}
	if err != nil {
		m.Close()
	}
	return m, planned, err
}

// pins is where the list of objects may be pinned; nil: nobody knows, or it is a file.
func (p *rows) pins(r *item.Run) *store.Store {
	if !r.Config.Lists() || r.Config.Markers.URL == "" {
		return nil
	}
	x := r.Expander(r.Fields(), r.Secrets)
	where := x.Named(r.Mapping.Markers())
	if x.Err != nil {
		return nil // of the Job's name, say, which isn't known yet
	}
	s, err := r.Stores.Open(context.Background(), where.Value)
	if err != nil {
		return nil
	}
	return s
}

// file tells what it costs to read a file's rows.
func (p *rows) file(m fetch.File, from, to int64) (PlannedManifest, error) {
	var cost manifest.Cost
	err := p.retry(m, func(ctx context.Context) (err error) {
		if p.each() {
			cost, err = m.CostOfParts(ctx, fetch.BatchRows, func(rows int64) iter.Seq[manifest.Part] { return p.parts(rows, from, to) })
		} else {
			cost, err = m.Cost(ctx, p.numbers(from, to))
		}
		return err
	})
	planned := PlannedManifest{URL: p.run.Secrets.Hide(m.Show()), Rows: cost.Rows, Bytes: cost.Size, Read: cost.Indexed, Indexed: cost.Indexed, each: p.each()}
	if p.run.Config.Markers.URL == "" {
		planned.Read = cost.Scanned
	}
	return planned, err
}

// list tells what is listed, and of groups that aren't as most are.
func (p *rows) list(m fetch.Objects) (PlannedManifest, error) {
	if err := m.Ready(context.Background()); err != nil {
		return PlannedManifest{}, err
	}
	known := m.Known()
	if lacks := known.Lacks(); lacks != "" {
		p.notes = append(p.notes, p.run.Secrets.Hide(m.Show())+": "+lacks)
	}
	planned := PlannedManifest{URL: p.run.Secrets.Hide(m.Show()), Rows: m.List.Len(), Bytes: known.Bytes, Objects: known.Objects, LeftOut: known.LeftOut}
	if at := m.Pinned(); !at.IsZero() {
		planned.Pinned = &at
	}
	for _, group := range known.Incomplete {
		if len(p.findings) < maxFindings {
			p.findings = append(p.findings, fmt.Sprintf("the group %s of the %d objects that most groups have", group, known.PerGroup))
		}
	}
	if known.MoreIncomplete > 0 {
		p.findings = append(p.findings, fmt.Sprintf("… and %d more groups have another number of objects than most", known.MoreIncomplete))
	}
	return planned, nil
}
