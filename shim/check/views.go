package check

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"nth/shim/screen"
)

// WriteText prints one line: what came of a question, the time, and the question.
func (r Result) WriteText(w io.Writer) error {
	word, took := string(r.Status), fmt.Sprintf("%.1f ms", r.Milliseconds)
	switch {
	case r.Status == Failed && !r.Needed:
		word = "lacks"
	case r.Status == Skipped:
		took = "-"
	}
	line := fmt.Sprintf("%-8s%10s  %s", word, took, r.What)
	if r.Tries > 1 {
		line += fmt.Sprintf(" (%d tries)", r.Tries)
	}
	line += remark(r.Why, r.Hint)
	_, err := fmt.Fprintln(w, screen.Line(line))
	return err
}

func remark(why, hint string) string {
	var b strings.Builder
	if why != "" {
		b.WriteString(": " + screen.Line(why))
	}
	if hint != "" {
		b.WriteString(" (" + screen.Line(hint) + ")")
	}
	return b.String()
}

// WriteSummary prints what follows from the answers, one line each.
func (r *Report) WriteSummary(w io.Writer) error {
	var b strings.Builder
	for i, u := range r.Uses {
		word := "doesn't serve"
		if u.Yes {
			word = "serves"
		}
		if i == 0 || r.Uses[0].Yes { // without markers nothing else matters
			fmt.Fprintf(&b, "%-20s%s%s\n", word, u.Name, remark(u.Why, ""))
		}
	}
	for _, m := range r.Missing {
		fmt.Fprintf(&b, "missing permission: %s\n", screen.Line(m))
	}
	for _, l := range r.Left {
		fmt.Fprintf(&b, "not removed: %s%s\n", screen.Line(l.URL), remark(l.Why, ""))
	}
	if r.Made {
		fmt.Fprintf(&b, "made %s, which was not there\n", screen.Line(r.URL))
	}
	if r.RoundTrip > 0 {
		fmt.Fprintf(&b, "a round trip typically takes %.1f ms\n", r.RoundTrip)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON prints the report as one JSON document.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
