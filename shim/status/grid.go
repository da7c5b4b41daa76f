package status

import (
	"fmt"
	"strconv"
	"strings"
)

// glyph is how a cell is drawn: a character that is told from the others without
// colours too, one for a terminal that only knows ASCII, and the colour (ECMA-48 SGR).
type glyph struct {
	shape string
	ascii string
	color string
}

// glyph is how a range looks that is all in one state.
func (s State) glyph() glyph {
	switch s {
	case Started:
		return glyph{"o", "o", "35"}
	case Failed:
		return glyph{"X", "X", "1;31"}
	case Running:
		return glyph{">", ">", "36"}
	case Skipped:
		return glyph{"s", "s", "33"}
	case Done:
		return glyph{"█", "#", "32"}
	}
	return glyph{"·", ".", "2"}
}

var (
	// someFailed is for a range of which less than half has failed.
	someFailed = glyph{"x", "x", "31"}
	// parts are for a range that is done in part and where nothing runs: less than a
	// third, less than two, less than all.
	parts = [3]glyph{{"░", "-", "32"}, {"▒", "=", "32"}, {"▓", "+", "32"}}
)

// grid is a picture of all indexes. A cell stands for one, or for a range where there
// are more than fit.
type grid struct {
	cells []glyph
	first []int64 // of each row
	row   int     // cells in a row
	each  int64   // indexes in a cell
}

// newGrid makes one that is at most so wide and high, its rows' labels included.
func newGrid(s *Snapshot, width, height int) grid {
	if s.Len == 0 {
		return grid{}
	}
	room := max(1, width-len(strconv.FormatInt(s.Of.Last(), 10))-1)
	if room > 10 {
		room -= room % 10
	}
	g := grid{row: room, each: perCell(s.Len, int64(room)*int64(max(1, height)))}
	for at := int64(0); at < s.Len; at += g.each {
		if len(g.cells)%g.row == 0 {
			g.first = append(g.first, s.Of.At(at))
		}
		g.cells = append(g.cells, draw(s.States[at:min(at+g.each, s.Len)]))
	}
	return g
}

// perCell gives the least of 1, 2, 5, 10, 20, 50 and so on with which n fit into cells.
func perCell(n, cells int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, k := range [...]int64{1, 2, 5} {
			if k*unit*cells >= n {
				return k * unit
			}
		}
	}
}

// draw gives the look of a range: what has failed is seen before all else, then what
// works, then how much is done.
func draw(of []State) glyph {
	var count [256]int
	for _, s := range of {
		count[s]++
	}
	settled := count[Done] + count[Skipped]
	switch n := len(of); {
	case count[Failed]*2 >= n:
		return Failed.glyph()
	case count[Failed] > 0:
		return someFailed
	case count[Running] > 0:
		return Running.glyph()
	case count[Started] > 0:
		return Started.glyph()
	case settled == 0:
		return Missing.glyph()
	case settled < n:
		return parts[settled*3/n]
	case count[Skipped]*2 > n:
		return Skipped.glyph()
	}
	return Done.glyph()
}

// lines draws the grid, each row with its first index before it.
func (g grid) lines(style style) (lines []string) {
	width := 0
	for _, first := range g.first {
		width = max(width, len(strconv.FormatInt(first, 10)))
	}
	for i, first := range g.first {
		lines = append(lines, fmt.Sprintf("%*d ", width, first)+style.draw(g.cells[i*g.row:min((i+1)*g.row, len(g.cells))]))
	}
	return lines
}

// style is what a terminal can show.
type style struct{ color, unicode bool }

// draw writes cells, and a colour where it changes.
func (s style) draw(cells []glyph) string {
	var b strings.Builder
	color := ""
	for _, c := range cells {
		if s.color && c.color != color {
			b.WriteString("\x1b[0;" + c.color + "m")
			color = c.color
		}
		if s.unicode {
			b.WriteString(c.shape)
		} else {
			b.WriteString(c.ascii)
		}
	}
	if color != "" {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}

// scale says what a cell is, where it isn't one index.
func (g grid) scale() string {
	if g.each == 1 {
		return ""
	}
	return fmt.Sprintf("a cell is %d indexes", g.each)
}

// legend explains the cells that may be there, as many as fit.
func (g grid) legend(style style, width int) string {
	entries := []struct {
		glyph
		name string
	}{{Done.glyph(), "done"}, {Failed.glyph(), "failed"}, {Running.glyph(), "running"}, {Missing.glyph(), "missing"},
		{Skipped.glyph(), "skipped"}, {Started.glyph(), "started"}}
	if g.each > 1 {
		entries = append(entries[:2:2], append([]struct {
			glyph
			name string
		}{{someFailed, "some failed"}, {parts[1], "in part"}}, entries[2:]...)...)
	}
	var b strings.Builder
	cols := 0
	for _, e := range entries {
		need := len(e.name) + 2
		if cols > 0 {
			need += 2
		}
		if cols+need > width {
			break
		}
		if cols > 0 {
			b.WriteString("  ")
		}
		b.WriteString(style.draw([]glyph{e.glyph}) + " " + e.name)
		cols += need
	}
	return b.String()
}
