package rounds

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// The drawing, in its own units: names at the left, bars from there, figures behind them.
const (
	width    = 720
	left     = 270 // where bars begin
	longest  = 350 // a bar
	lineHigh = 20
	barHigh  = 13
)

// style has colours for a light page and for a dark one; what is behind is the page's.
const style = `text{font:13px system-ui,sans-serif;fill:#1f2328}.t{font-weight:600}.s{fill:#59636e;font-size:12px}.n{fill:#0969da}.o{fill:#afb8c1}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.s{fill:#9198a1}.n{fill:#4493f8}.o{fill:#656c76}}`

// SVG draws the results that are meant for it: how many times as long as the first way
// each one takes. Nothing in it depends on anything but the figures.
func SVG(results []*Result) string {
	results = slices.DeleteFunc(slices.Clone(results), func(r *Result) bool { return !r.Chart })
	words := "Time, as a multiple of the bar that is × 1.00 in each group: a shorter one is faster."
	one := !slices.ContainsFunc(results, func(r *Result) bool { return r.Machine() != results[0].Machine() })
	if one && len(results) > 0 {
		words += " " + results[0].Machine() + "."
	}
	var b strings.Builder
	y := 0
	for _, r := range results {
		y = r.draw(&b, y, one)
	}
	text(&b, 0, y+12, "s", words)
	y += 20
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%[1]d\" height=\"%[2]d\" role=\"img\">\n<title>What nth and its peers take for the same work</title>\n<style>%s</style>\n%s</svg>\n", width, y, style, &b)
}

// draw draws a group at y, and gives where the next one begins. Where it was measured stands
// elsewhere if that is one machine for all.
func (r *Result) draw(b *strings.Builder, y int, one bool) int {
	text(b, 0, y+15, "t", r.Title)
	y += 20
	if !one {
		text(b, 0, y+12, "s", r.Machine())
		y += 20
	}
	most := 0.0
	for _, row := range r.Rows {
		if row.drawn() {
			most = max(most, row.Times.Median)
		}
	}
	for _, row := range r.Rows {
		if !row.drawn() {
			continue
		}
		text(b, 8, y+14, "", row.Name)
		long := max(1, int(row.Times.Median/most*longest))
		class := "o"
		if strings.HasPrefix(row.Name, "nth") {
			class = "n"
		}
		fmt.Fprintf(b, "<rect class=%q x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"2\"/>\n", class, left, y+3, long, barHigh)
		text(b, left+long+6, y+14, "", "× "+number(row.Times.Median, 2))
		y += lineHigh
	}
	return y + 14
}

// drawn: another build's bars are no peer's.
func (r Row) drawn() bool { return r.Times != nil && !r.Against }

func text(b *strings.Builder, x, y int, class, words string) {
	var escaped strings.Builder
	Check(xml.EscapeText(&escaped, []byte(words)))
	if class != "" {
		class = fmt.Sprintf(" class=%q", class)
	}
	fmt.Fprintf(b, "<text%s x=\"%d\" y=\"%d\">%s</text>\n", class, x, y, &escaped)
}
