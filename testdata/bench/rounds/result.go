package rounds

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Result is what was measured of a table's work, and where.
type Result struct {
	Subject string   `json:"subject"`
	Title   string   `json:"title"`
	Date    string   `json:"date"`
	CPUs    int      `json:"cpus"`
	System  string   `json:"system"`
	Base    string   `json:"base"` // the way whose time the others' are multiples of
	Chart   bool     `json:"chart,omitempty"`
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
	Aims    []Met    `json:"aims,omitempty"`
}

// Row is what one way took.
type Row struct {
	Name    string    `json:"name"`
	Against bool      `json:"against,omitempty"` // it is the other build's
	Cells   []*Spread `json:"cells"`             // as the columns; nil: it has none
	Times   *Spread   `json:"times"`             // how many times as long as the base
	Gain    *Spread   `json:"gain,omitempty"`    // of the other build: as this one
}

// Spread is the least, the median and the most of the rounds.
type Spread struct {
	Least  float64 `json:"least"`
	Median float64 `json:"median"`
	Most   float64 `json:"most"`
}

// Met is an aim, and what came out.
type Met struct {
	Of    string  `json:"of"`
	Over  string  `json:"over"`
	Most  float64 `json:"most"`
	Times *Spread `json:"times"`
}

// Machine tells where it was measured, and when, in words that name no machine.
func (r *Result) Machine() string {
	return fmt.Sprintf("%d cores, %s, one machine, %s", r.CPUs, r.System, r.Date)
}

// Text is the table for a terminal.
func (r *Result) Text() string {
	cells := r.cells(true)
	widths := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, c := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Subject, r.Title)
	for _, line := range cells {
		var out strings.Builder
		for i, c := range line {
			if i == 0 {
				fmt.Fprintf(&out, "  %-*s", widths[i], c)
			} else {
				fmt.Fprintf(&out, "  %*s", widths[i], c)
			}
		}
		fmt.Fprintln(&b, strings.TrimRight(out.String(), " "))
	}
	for _, a := range r.Aims {
		word := map[bool]string{true: "met", false: "MISSED"}[a.Times.Median <= a.Most]
		fmt.Fprintf(&b, "  aim %s: %s takes %s times as long as %s, at most %s\n", word, a.Of, number(a.Times.Median, 3), a.Over, number(a.Most, 3))
	}
	return b.String()
}

// Markdown is the table for a page: medians, and ratios.
func (r *Result) Markdown() string {
	var b strings.Builder
	for i, line := range r.cells(false) {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			b.WriteString("| --- |" + strings.Repeat(" ---: |", len(line)-1) + "\n")
		}
	}
	return b.String()
}

// cells gives the table's head and rows: each figure whole, with its least and most, or
// its median alone.
func (r *Result) cells(whole bool) [][]string {
	head := []string{""}
	for _, c := range r.Columns {
		head = append(head, c.Name)
	}
	head = append(head, "× "+r.Base)
	gains := false
	for _, row := range r.Rows {
		gains = gains || row.Gain != nil
	}
	if gains {
		head = append(head, "× its time now")
	}
	lines := [][]string{head}
	for _, row := range r.Rows {
		line := []string{row.Name}
		for i, c := range row.Cells {
			line = append(line, c.show(r.Columns[i], whole))
		}
		line = append(line, row.Times.show(Column{Digits: 2}, whole))
		if gains {
			line = append(line, row.Gain.show(Column{Digits: 2}, whole))
		}
		lines = append(lines, line)
	}
	return lines
}

func (s *Spread) show(c Column, whole bool) string {
	switch {
	case s == nil:
		return ""
	case c.Show == Most:
		return number(s.Most, c.Digits)
	case !whole || c.Show == Median || s.Least == s.Most:
		return number(s.Median, c.Digits)
	}
	return number(s.Least, c.Digits) + "/" + number(s.Median, c.Digits) + "/" + number(s.Most, c.Digits)
}

// Count is a number of things, as titles have it.
func Count(n int) string { return number(float64(n), 0) }

// number is a figure with commas between thousands.
func number(v float64, digits int) string {
	text := fmt.Sprintf("%.*f", digits, v)
	point := strings.IndexByte(text+".", '.')
	for i := point - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
