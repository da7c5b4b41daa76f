package status

import (
	"cmp"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/why"
)

// unreadable is the reason of a failure whose record can't be read.
const unreadable = "unreadable"

// endings are the ways in which a command fails, the first that fits counts: the
// reason, as --reason takes it, and how that reads.
var endings = [...]struct {
	is           func(f *marker.Failure) bool
	reason, text func(f *marker.Failure) string
}{
	{func(f *marker.Failure) bool { return f.OOMKilled }, func(*marker.Failure) string { return "oom" }, outOfMemory},
	{func(f *marker.Failure) bool { return f.TimedOut }, func(*marker.Failure) string { return "timeout" }, func(*marker.Failure) string { return "timed out" }},
	{func(f *marker.Failure) bool { return f.LeaseLost }, func(*marker.Failure) string { return "lease-lost" }, func(*marker.Failure) string { return "the lease was lost" }},
	{func(f *marker.Failure) bool { return f.StopSignal != "" }, func(*marker.Failure) string { return "stopped" }, func(f *marker.Failure) string { return "stopped by " + f.StopSignal }},
	{func(f *marker.Failure) bool { return f.Signal != "" }, func(f *marker.Failure) string { return f.Signal }, func(f *marker.Failure) string { return "killed by " + f.Signal }},
	{func(f *marker.Failure) bool { return f.CommandCode != nil && *f.CommandCode != 0 },
		func(f *marker.Failure) string { return "exit-" + strconv.Itoa(*f.CommandCode) },
		func(f *marker.Failure) string { return "exit code " + strconv.Itoa(*f.CommandCode) }},
	{func(*marker.Failure) bool { return true },
		func(f *marker.Failure) string { return ownReason(f.ExitCode) },
		func(f *marker.Failure) string { return "nth's exit code " + strconv.Itoa(f.ExitCode) }},
}

func outOfMemory(f *marker.Failure) string {
	if f.Signal == "" {
		return "out of memory"
	}
	return "killed by " + f.Signal + ": out of memory"
}

func ownReason(code int) string { return "nth-" + strconv.Itoa(code) }

// ending tells how a failure ended: its reason and that for people.
func ending(f *marker.Failure) (reason, text string) {
	for _, e := range endings {
		if e.is(f) {
			reason, text = e.reason(f), e.text(f)
			break
		}
	}
	return reason, text
}

// last gives the line that tells most of why: the last of the command's stderr that
// says something, else what it left in the termination log. A failure of nth's own
// has a message instead.
func last(reason string, f *marker.Failure) string {
	message := strings.TrimPrefix(f.Message, "nth: ")
	message = strings.TrimPrefix(message, fmt.Sprintf("index %d: ", f.Index))
	if f.Task != nil {
		message = strings.TrimPrefix(message, f.What()+": ")
	}
	if reason == ownReason(f.ExitCode) {
		return message
	}
	return cmp.Or(why.Line(f.Stderr), why.Line(f.Reason))
}

// maxAlike is how much of a line is compared, in bytes.
const maxAlike = 300

// alike gives a line without what differs between equal failures: paths, and every
// word with a digit in it, such as a number, a date or an address.
func alike(line string) string {
	var b strings.Builder
	for line = strings.ToValidUTF8(line[:min(len(line), maxAlike)], ""); line != ""; {
		end := strings.IndexFunc(line, func(r rune) bool { return !inWord(r) })
		if end < 0 {
			end = len(line)
		}
		w := line[:end]
		bare := strings.TrimRight(w, ".-:/")
		switch {
		case strings.Contains(bare, "/") && bare != "", strings.ContainsAny(bare, digits):
			b.WriteString("…" + w[len(bare):])
		default:
			b.WriteString(w)
		}
		if line = line[end:]; line != "" {
			_, size := utf8.DecodeRuneInString(line)
			b.WriteString(line[:size])
			line = line[size:]
		}
	}
	return b.String()
}

func inWord(r rune) bool {
	return r == '/' || r == '.' || r == '-' || r == '_' || r == ':' || r == '%' || r == '+' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// groups puts together the failures that have the same reason and say the same, the
// largest first. What was started again is not among them.
func groups(all []Failure) []Group {
	type key struct{ reason, text, line string }
	members := map[key][]Failure{}
	for _, f := range all {
		if !f.Again {
			k := key{f.Reason, f.Text, alike(f.Last)}
			members[k] = append(members[k], f)
		}
	}
	list := make([]Group, 0, len(members))
	for k, of := range members {
		line := of[0].Last
		g := Group{Reason: k.reason, Count: int64(len(of)), Example: of[0].Index}
		indexes := make([]int64, len(of))
		for i, f := range of {
			if indexes[i] = f.Index; f.Last != line {
				line = k.line
			}
		}
		g.Indexes, g.Text = identity.FormatList(indexes), k.text
		if line != "" {
			g.Text += ": " + failure.OneLine(line)
		}
		list = append(list, g)
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		return a.Count > b.Count || a.Count == b.Count && a.Example < b.Example
	})
	return list
}
