package chaos

import (
	"fmt"
	"strings"
	"time"
)

// counts is what was done to the runs of a Job.
type counts struct{ kills, stops, doubles, pauses, reruns int }

// String says all of it, also what never happened.
func (c counts) String() string {
	parts := []string{}
	for _, p := range []struct {
		n    int
		what string
	}{{c.kills, "kill"}, {c.stops, "stop"}, {c.doubles, "duplicate"}, {c.pauses, "pause"}, {c.reruns, "rerun"}} {
		parts = append(parts, some(p.n, p.what))
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

func some(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// report is what the whole has shown.
type report struct {
	seed          uint64
	counts        counts
	compared      int // files
	bytes         int64
	in            []string
	calm, harried time.Duration // the undisturbed Job, and the disturbed one
	differences   []difference
	did           []string // what was done to the index of the first one
	kept          string   // the directory with both versions
}

// How much of a report's lists is shown.
const (
	mostDid   = 8
	mostNames = 5
)

// String is the report for people, a few lines that can be pasted anywhere.
func (r report) String() string {
	var b strings.Builder
	head := "same result"
	if len(r.differences) > 0 {
		head = "the result differs"
	}
	fmt.Fprintf(&b, "nth local --chaos: %s under %s, seed %d\n", head, r.counts, r.seed)
	fmt.Fprintf(&b, "  %s of %s compared in %s; %v undisturbed, %v disturbed\n", some(r.compared, "file"), some(int(r.bytes), "byte"),
		strings.Join(r.in, ", "), r.calm.Round(time.Millisecond), r.harried.Round(time.Millisecond))
	if r.counts.kills+r.counts.stops+r.counts.pauses+r.counts.doubles == 0 {
		b.WriteString("  the command is too short to be met at work: it was only run again after it had ended well\n")
	}
	if len(r.differences) > 0 {
		r.first(&b)
	}
	return b.String()
}

// first shows the first difference, and names the others.
func (r report) first(b *strings.Builder) {
	d := r.differences[0]
	who := "index " + fmt.Sprint(d.index)
	if d.index == unknown {
		who = "of no single index"
	}
	if d.name != "" {
		who += ": " + d.name
	}
	fmt.Fprintf(b, "  %s: %s\n", who, d.why)
	for _, line := range contrast(d) {
		b.WriteString("    " + line + "\n")
	}
	if len(r.did) > 0 {
		fmt.Fprintf(b, "  what was done to index %d:\n", d.index)
		for i, line := range r.did {
			if i == mostDid && len(r.did) > mostDid+1 {
				fmt.Fprintf(b, "    and %d more\n", len(r.did)-mostDid)
				break
			}
			b.WriteString("    " + line + "\n")
		}
	}
	var others []string
	for _, d := range r.differences[1:] {
		if len(others) == mostNames {
			others = append(others, fmt.Sprintf("%d more", len(r.differences)-1-mostNames))
			break
		}
		others = append(others, d.short())
	}
	if len(others) > 0 {
		b.WriteString("  these differ too: " + strings.Join(others, ", ") + "\n")
	}
	fmt.Fprintf(b, "  both versions are kept in %s; --chaos=%d disturbs in the same way again\n", r.kept, r.seed)
}

func (d difference) short() string {
	if d.name == "" {
		return fmt.Sprintf("index %d", d.index)
	}
	return d.name
}
