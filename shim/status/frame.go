package status

import (
	"fmt"
	"strings"
	"time"

	"nth/shim/screen"
)

// frame is what a watcher sees at one moment.
type frame struct {
	markers string
	snap    *Snapshot // nil: nothing was seen so far
	counts  Counts
	job     *Kubernetes // nil: it isn't asked
	says    []string    // of it: disagreements and what waits
	trouble string      // the last look failed: why

	still bool         // as if nothing moved: without what time alone changes
	queue bool         // tasks are done, and how many are left isn't known
	meter screen.Meter // of the tasks
}

// tasks are the queue's: how many are settled, and how many have failed.
func (f *frame) tasks() (settled, failed int64) {
	if t := f.snap.Tasks; t != nil {
		return t.Done + t.Skipped, t.Failed
	}
	return 0, 0
}

// The smallest grid that tells something.
const (
	minGridRows = 3
	minGridCols = 20
)

// lines draws the frame for a terminal's size; none is wider, and no more are there.
func (f *frame) lines(cols, rows int, style style) []string {
	width := max(1, cols-1) // the last column would wrap on some terminals
	plain := func(format string, args ...any) string { return cut(oneLine(fmt.Sprintf(format, args...)), width) }
	head := []string{plain("nth status %s", f.markers)}
	var foot []string
	if f.trouble != "" {
		foot = append(foot, paint(plain("%s; looking again", f.trouble), "31", style))
	}
	if f.snap == nil && f.trouble == "" {
		foot = append(foot, plain("listing what is there")) // which takes its time where it is much
	}
	if f.snap == nil {
		return append(head, foot...)[:min(rows, 1+len(foot))]
	}
	head = append(head, f.progress(width, style.color))
	if f.counts.Failed > 0 && !f.queue {
		foot = append(foot, paint(plain("failed %s", cutList(f.snap.List(Failed).String(), width-len("failed "))), "31", style))
	}
	for _, s := range f.says {
		foot = append(foot, plain("%s", s))
	}
	if f.queue {
		return append(head, foot...)[:min(rows, len(head)+len(foot))]
	}
	foot = foot[:min(len(foot), max(0, rows-len(head)-minGridRows-1))]
	height := rows - len(head) - len(foot) - 2 // the scale and the legend
	if height < 1 || width < minGridCols {
		return append(head, foot...)[:min(rows, len(head)+len(foot))]
	}
	g := newGrid(f.snap, width, height)
	all := append(append(head, plain("%s", g.scale())), g.lines(style)...)
	return append(append(all, g.legend(style, width)), foot...)
}

func oneLine(s string) string { return strings.Join(strings.Fields(screen.Clean(s)), " ") }

func paint(s, color string, style style) string {
	if !style.color {
		return s
	}
	return "\x1b[0;" + color + "m" + s + "\x1b[0m"
}

// progress is the frame in one line.
func (f *frame) progress(width int, color bool) string {
	if !f.queue {
		bar, _ := f.bar().Render(width, color)
		return string(bar)
	}
	settled, failed := f.tasks()
	parts := []string{fmt.Sprintf("%d tasks done", settled)}
	if failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", failed))
	}
	return cut(strings.Join(append(parts, f.pace(f.meter.Rate(f.snap.At, settled), 0)...), "  "), width)
}

func (f *frame) pace(rate float64, left int64) []string {
	if f.still {
		return nil
	}
	return screen.Pace(rate, left)
}

// bar is a Job's progress.
func (f *frame) bar() screen.Bar {
	c := f.counts
	b := screen.Bar{Done: c.Done + c.Skipped, Total: f.snap.Len}
	if c.Failed > 0 {
		b.Failed = fmt.Sprintf("%d failed", c.Failed)
	}
	if c.Running > 0 {
		b.Parts = append(b.Parts, fmt.Sprintf("%d running", c.Running))
	}
	if c.Started > 0 {
		b.Parts = append(b.Parts, fmt.Sprintf("%d started", c.Started))
	}
	b.Parts = append(b.Parts, f.pace(f.snap.Rate(), c.open())...)
	if t := f.snap.Tasks; t != nil {
		b.Parts = append(b.Parts, fmt.Sprintf("%d tasks done", t.Done+t.Skipped))
		if t.Failed > 0 {
			b.Parts = append(b.Parts, fmt.Sprintf("%d tasks failed", t.Failed))
		}
	}
	return b
}

// summary is what stays when the watch is over, and, line by line, what there is
// without a terminal.
func (f *frame) summary(width int) string {
	if f.snap == nil {
		return f.trouble
	}
	line := f.progress(width, false)
	if _, after, ok := strings.Cut(line, "] "); ok { // a drawing says nothing in a log
		line = after
	}
	if f.trouble != "" {
		line += "  (" + oneLine(f.trouble) + ")"
	}
	return line
}

// retryPause is how long after a failure it isn't final: Kubernetes tries an index
// again after 10 s at first.
const retryPause = time.Minute

// over tells whether nothing more is to be waited for. Of a queue nobody knows.
func (f *frame) over() bool {
	if f.snap == nil || f.queue || f.counts.open() > 0 {
		return false
	}
	failed := f.snap.List(Failed)
	for k := range failed.Len() {
		if !f.snap.givenUp(failed.At(k)) {
			return false
		}
	}
	return true
}

// open is how many indexes are neither settled nor failed.
func (c Counts) open() int64 { return c.Running + c.Started + c.Missing }

// Counts gives how many indexes are in each state.
func (s *Snapshot) Counts() (c Counts) {
	var n [256]int64
	for _, state := range s.States {
		n[state]++
	}
	return Counts{Done: n[Done], Skipped: n[Skipped], Failed: n[Failed], Running: n[Running], Started: n[Started], Missing: n[Missing], Others: int64(len(s.Others))}
}
