package status

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"nth/shim/screen"
	"nth/templates"
)

// How much of what may be long is shown to a person.
const (
	maxShown   = 20 // failures, or shards
	maxGroups  = 10
	maxHow     = 40 // columns
	maxExample = 3  // failures of one group, where there are more than are shown

	maxLine = 2000 // columns where there is no terminal
)

// text writes for people, in lines that fit into a width where that can be.
type text struct {
	strings.Builder
	width int
	room  int // that of a list of indexes: it may be of any length
	now   time.Time
}

// newText begins one; without a terminal, whose width is 0, nothing is cut that says what
// to do.
func newText(width int, now time.Time) *text {
	if width == 0 {
		return &text{width: maxLine, room: plainWidth, now: now}
	}
	return &text{width: width, room: width, now: now}
}

// line writes one line, whatever is in the arguments.
func (t *text) line(format string, args ...any) {
	s := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, screen.Clean(fmt.Sprintf(format, args...)))
	t.WriteString(cut(strings.TrimRight(s, " "), t.width) + "\n")
}

// title writes a line with an empty one above it.
func (t *text) title(format string, args ...any) {
	t.WriteString("\n")
	t.line(format, args...)
}

// WriteText prints the report for people, in lines of a terminal's width; 0: there is none.
func (r *Report) WriteText(w io.Writer, width int) error {
	t := newText(width, r.At)
	t.line("markers %s", r.Markers)
	if r.Job != "" {
		t.line("job     %s", r.Job)
	}
	if r.Tasks == nil || r.Counts.Failed < r.Completions { // else they are a queue's workers
		t.settled(r)
	}
	t.lists(r)
	t.groups(r)
	t.failures(r)
	t.others(r)
	t.rerun(r)
	_, err := io.WriteString(w, t.String())
	return err
}

func (t *text) settled(r *Report) {
	settled := r.Counts.Done + r.Counts.Skipped
	t.line("%s", strings.Join(slices.Concat([]string{fmt.Sprintf("%d of %d settled (%d%%)", settled, r.Completions, settled*100/max(1, r.Completions))}, screen.Pace(r.Rate, r.Counts.open())), ", "))
	t.WriteString("\n")
}

// states are the states in the order in which they are shown, with their names for
// people and for --list.
var states = []struct {
	State
	name  string
	about string
	count func(*Counts) int64
	list  func(*Lists) string
}{
	{Done, "done", "", func(c *Counts) int64 { return c.Done }, func(l *Lists) string { return l.Done }},
	{Skipped, "skipped", "settled as bad", func(c *Counts) int64 { return c.Skipped }, func(l *Lists) string { return l.Skipped }},
	{Failed, "failed", "", func(c *Counts) int64 { return c.Failed }, func(l *Lists) string { return l.Failed }},
	{Running, "running", "", func(c *Counts) int64 { return c.Running }, func(l *Lists) string { return l.Running }},
	{Started, "started", "running, or ended without a trace", func(c *Counts) int64 { return c.Started }, func(l *Lists) string { return l.Started }},
	{Missing, "missing", "", func(c *Counts) int64 { return c.Missing }, func(l *Lists) string { return l.Missing }},
	{0, "others", "markers of other indexes", func(c *Counts) int64 { return c.Others }, func(l *Lists) string { return l.Others }},
}

func (t *text) lists(r *Report) {
	digits := len(strconv.FormatInt(r.Completions, 10))
	for _, s := range states {
		n := s.count(&r.Counts)
		if n == 0 {
			continue
		}
		head, about := fmt.Sprintf("%-7s  %*d  ", s.name, digits, n), ""
		if s.about != "" {
			about = "  (" + s.about + ")"
		}
		t.line("%s%s%s", head, cutList(s.list(&r.Lists), t.room-len(head)-len(about)), about)
	}
}

// groups are of interest where there is something to put together.
func (t *text) groups(r *Report) {
	if len(r.Groups) == 0 || len(r.Groups) == len(r.Failures) && len(r.Failures) <= maxShown {
		return
	}
	t.title("failed, by reason")
	for _, g := range r.Groups[:min(len(r.Groups), maxGroups)] {
		head, tail := fmt.Sprintf("%6d  ", g.Count), "  --reason "+g.Reason
		t.line("%s%s%s", head, cut(screen.Clean(g.Text), t.width-len(head)-len(tail)), tail)
		t.line("        %s", cutList(g.Indexes, t.room-8))
	}
	if more := len(r.Groups) - maxGroups; more > 0 {
		t.line("        and %d more (--format json has all)", more)
	}
	if r.Unread > 0 {
		t.line("        %d more have records that were not read (--read all reads them)", r.Unread)
	}
}

// failures are shown one by one: all if they are few, else some of each group.
func (t *text) failures(r *Report) {
	var rows []failed
	for _, f := range few(r.Failures, func(f Failure) Failure { return f }) {
		rows = append(rows, failed{strconv.FormatInt(f.Index, 10), count(f.Failures), "", f})
	}
	t.table("index", "failures", rows, t.nameItems(rows))
	if more := len(r.Failures) - len(rows); more > 0 {
		t.line("       and %d more (--index N tells of one, --list failed of all)", more)
	}
}

// nameItems puts the items' names beside the indexes, where they have some.
func (t *text) nameItems(rows []failed) (named bool) {
	wide := 0
	for _, f := range rows {
		named, wide = named || f.item() != "", max(wide, len(f.name))
	}
	for i, f := range rows {
		if named {
			rows[i].name = fmt.Sprintf("%*s  %s", wide, f.name, cut(screen.Clean(f.item()), maxHow))
		}
	}
	return named
}

// taskFailures are a queue's.
func (t *text) taskFailures(r *Report) {
	var rows []failed
	some := few(r.TaskFailures, func(f TaskFailure) Failure { return f.Failure })
	same := sameWords(some)
	for _, f := range some {
		command := ""
		if len(f.Command) > same {
			command = "command: " + strings.Repeat("… ", min(same, 1)) + templates.Line(f.Command[same:])
		}
		rows = append(rows, failed{cut(screen.Clean(f.Task), maxHow), count(f.Attempt), command, f.Failure})
	}
	t.table("task", "delivery", rows, true)
	if more := len(r.TaskFailures) - len(rows); more > 0 {
		t.line("       and %d more (--format json has all)", more)
	}
	if r.TasksUnread > 0 {
		t.line("       %d more have records that were not read (--read all reads them)", r.TasksUnread)
	}
}

// sameWords is with how many words the commands of several tasks begin that don't tell which
// task it is, for all have them.
func sameWords(some []TaskFailure) (same int) {
	var first []string
	known := 0 // a task that couldn't be read has none
	for _, f := range some {
		if len(f.Command) == 0 {
			continue
		}
		if known++; known == 1 {
			first, same = f.Command, len(f.Command)
		}
		for n := range same {
			if n == len(f.Command) || f.Command[n] != first[n] {
				same = n
				break
			}
		}
	}
	if known < 2 {
		return 0
	}
	return same
}

// failed is one line of a table.
type failed struct {
	name, times, command string
	Failure
}

// few gives all failures, or some of each kind where there are many.
func few[T any](all []T, failure func(T) Failure) []T {
	if len(all) <= maxShown {
		return all
	}
	var some []T
	of := map[string]int{}
	for _, one := range all {
		f := failure(one)
		key := f.Reason + " " + alike(f.Last)
		if of[key]++; of[key] <= maxExample && len(some) < maxShown {
			some = append(some, one)
		}
	}
	return some
}

// table shows failures; names stand on the left or, as numbers do, on the right.
func (t *text) table(what, times string, rows []failed, left bool) {
	if len(rows) == 0 {
		return
	}
	wide := [3]int{len(what), len("how"), 0}
	for _, f := range rows {
		wide[0], wide[1], wide[2] = max(wide[0], utf8.RuneCountInString(f.name)), min(maxHow, max(wide[1], len(f.how()))), max(wide[2], len(t.when(f.At)))
	}
	if left {
		wide[0] = -wide[0]
	}
	t.title("%*s  %-*s  %s  %-*s  where", wide[0], what, wide[1], "how", times, wide[2], "when")
	for _, f := range rows {
		t.line("%*s  %-*s  %8s  %-*s  %s", wide[0], f.name, wide[1], cut(screen.Clean(f.how()), maxHow), f.times, wide[2], t.when(f.At), f.where())
		for _, line := range []string{f.command, f.Last} {
			if line != "" {
				t.line("%*s  %s", wide[0], "", line)
			}
		}
	}
}

// count is empty where nobody counted.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (f *Failure) how() string {
	switch {
	case f.Again:
		return f.Text + ", again"
	case f.Dead:
		return f.Text + ", put aside"
	}
	return f.Text
}

// item is what the index is made of, by its name; else the numbers of those of its items that
// failed.
func (f *Failure) item() string {
	switch {
	case f.Item != "" || f.Items == "":
		return f.Item
	case strings.ContainsAny(f.Items, ",-"):
		return "items " + f.Items
	}
	return "item " + f.Items
}

func (f *Failure) where() string {
	return strings.Join(slices.DeleteFunc([]string{f.Pod, f.Node}, func(s string) bool { return s == "" }), " on ")
}

// when gives a date and how long ago that is.
func (t *text) when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04Z") + ", " + ago(t.now.Sub(at))
}
