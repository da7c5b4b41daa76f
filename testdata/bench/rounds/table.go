package rounds

import (
	"log"
	"slices"
)

// against stands behind the name of what the other build did.
const against = " (against)"

// Table is work that may be done in several ways.
type Table struct {
	Title    string
	Columns  []Column // the first is what ratios are of
	Ways     []Way    // the first is what the others' ratios are to, unless Base names another
	Base     string
	Chart    bool // it is drawn too
	Turns    int  // instead of the rounds, if not 0
	Warm     int  // turns before those that count
	Together bool // ways take a turn at the same time: they only wait
	Aims     []Aim
}

// Way is one program's way to do it.
type Way struct {
	Name  string
	Nth   bool                    // it is nth's: another build takes its turns too
	Known func(nth string) bool   // whether a build knows this way; nil: each does
	Turns int                     // at most so many count; 0: all
	Do    func(nth string) Sample // a turn; nth is empty if it isn't nth's
	Once  func(nth string) Sample // what is measured once, after all turns
}

// Sample is what one turn took, by the names of columns.
type Sample map[string]float64

// Column is what is measured.
type Column struct {
	Name   string `json:"name"`
	Digits int    `json:"digits,omitempty"` // after the point
	Rate   bool   `json:"rate,omitempty"`   // more is better
	Show   string `json:"show,omitempty"`   // "": least/median/most; Median or Most: that alone
}

// What Show may be.
const (
	Median = "median"
	Most   = "most"
)

// Aim is how two ways are meant to stand to each other: Of takes at most Times what Over
// takes. Over may be left empty: it is what Of was in the other build.
type Aim struct {
	Of, Over string
	Times    float64
}

// result works out what is shown of a table.
func (t Table) result(rows []*row) *Result {
	res := &Result{Title: t.Title, Base: t.Base, Chart: t.Chart, Columns: t.Columns}
	if res.Base == "" || !slices.ContainsFunc(rows, func(r *row) bool { return r.name == res.Base }) {
		res.Base = rows[0].name
	}
	named := func(name string) *row {
		if i := slices.IndexFunc(rows, func(r *row) bool { return r.name == name }); i >= 0 {
			return rows[i]
		}
		return nil
	}
	for _, r := range rows {
		if len(r.samples) == 0 {
			log.Panicf("%s: %s has had no turn", t.Title, r.name)
		}
		out := Row{Name: r.name, Against: r.against, Times: t.times(r, named(res.Base))}
		if r.against {
			out.Gain = t.times(r, named(r.way.Name))
		}
		for _, c := range t.Columns {
			var all []float64
			for _, s := range r.samples {
				if v, ok := s[c.Name]; ok {
					all = append(all, v)
				}
			}
			out.Cells = append(out.Cells, spreadOf(all))
		}
		res.Rows = append(res.Rows, out)
	}
	for _, a := range t.Aims {
		over := a.Over
		if over == "" {
			over = a.Of + against
		}
		if of, over := named(a.Of), named(over); of != nil && over != nil {
			res.Aims = append(res.Aims, Met{Of: of.name, Over: over.name, Most: a.Times, Times: t.times(of, over)})
		}
	}
	return res
}

// times tells how many times as long as base a way takes, in the rounds that both had.
func (t Table) times(r, base *row) *Spread {
	if base == nil {
		return nil
	}
	first := t.Columns[0]
	var all []float64
	for i := range min(len(r.samples), len(base.samples)) {
		v, ok := r.samples[i][first.Name]
		b, there := base.samples[i][first.Name]
		switch {
		case !ok || !there:
		case first.Rate:
			all = append(all, b/v)
		default:
			all = append(all, v/b)
		}
	}
	return spreadOf(all)
}

func spreadOf(v []float64) *Spread {
	if len(v) == 0 {
		return nil
	}
	s := slices.Sorted(slices.Values(v))
	return &Spread{s[0], s[len(s)/2], s[len(s)-1]}
}
