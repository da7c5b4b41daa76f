package plan

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"nth/shim/failure"
	"nth/shim/look"
	"nth/shim/screen"
	"nth/templates"
)

// output takes a plan as it is made. Its errors are failures.
type output interface {
	item(Planned) error
	manifest(PlannedManifest)
	end(findings, notes []string, found *look.Found) error
}

// unprinted is the failure to write a plan.
func unprinted(err error) error {
	if err == nil {
		return nil
	}
	return &failure.Failure{Code: failure.Unavailable, Tried: "print the plan", Cause: err}
}

// text prints one line an index on out, and all else on errs.
type text struct {
	out  *bufio.Writer
	show func(string) string // of a line, as out may have it
	errs io.Writer
}

func newText(out, errs io.Writer) output {
	return &text{bufio.NewWriter(out), screen.For(out), errs}
}

func (t *text) item(it Planned) error {
	if it.Error != "" {
		screen.Tell(t.errs, "nth: index %d: %s", it.Index, it.Error)
		return nil
	}
	line := shellLine(slices.Concat(it.Env, it.Command))
	if it.Items != "" {
		line = strings.TrimLeft(line+"\t# items "+it.Items, "\t")
	}
	if given := it.given(); len(given) > 0 {
		line += "\t# " + shellLine(given)
	}
	_, err := fmt.Fprintf(t.out, "%d\t%s\n", it.Index, t.show(line))
	return unprinted(err)
}

func (t *text) manifest(m PlannedManifest) { screen.Tell(t.errs, "nth: plan: %s", m) }

func (t *text) end(findings, notes []string, _ *look.Found) error {
	err := t.out.Flush() // what is wrong comes last, where it is seen
	for _, line := range slices.Concat(findings, notes) {
		screen.Tell(t.errs, "nth: plan: %s", line)
	}
	return unprinted(err)
}

// maxManifests is how many files a document tells of.
const maxManifests = 1000

// document prints one JSON document: its items as they come, and then what is small.
type document struct {
	out       *bufio.Writer
	begun     bool
	manifests []PlannedManifest
	unsaid    int // manifests
}

func newJSON(out io.Writer) output { return &document{out: bufio.NewWriter(out)} }

func (d *document) item(it Planned) error {
	if d.begun {
		d.out.WriteString(",\n    ")
	} else {
		d.out.WriteString("{\n  \"items\": [\n    ")
	}
	d.begun = true
	return d.value("    ", it)
}

func (d *document) manifest(m PlannedManifest) {
	if len(d.manifests) == maxManifests {
		d.unsaid++
		return
	}
	d.manifests = append(d.manifests, m)
}

func (d *document) end(findings, notes []string, found *look.Found) error {
	if !d.begun {
		d.out.WriteString("{\n  \"items\": [")
	}
	d.out.WriteString("\n  ],\n  ")
	if len(d.manifests) > 0 {
		d.out.WriteString("\"manifests\": ")
		if err := d.value("  ", d.manifests); err != nil {
			return err
		}
		d.out.WriteString(",\n  ")
	}
	if found != nil {
		d.out.WriteString("\"look\": ")
		if err := d.value("  ", found); err != nil {
			return err
		}
		d.out.WriteString(",\n  ")
	}
	if d.unsaid > 0 {
		notes = append(notes, fmt.Sprintf("%d more files of rows aren't told of", d.unsaid))
	}
	d.out.WriteString("\"findings\": ")
	if err := d.value("  ", append([]string{}, findings...)); err != nil {
		return err
	}
	if len(notes) > 0 {
		d.out.WriteString(",\n  \"notes\": ")
		if err := d.value("  ", notes); err != nil {
			return err
		}
	}
	d.out.WriteString("\n}\n")
	return unprinted(d.out.Flush())
}

// value writes one value of the document; the writer's error is kept until then.
func (d *document) value(prefix string, v any) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	if err := e.Encode(v); err != nil {
		return unprinted(err)
	}
	_, err := d.out.WriteString(strings.TrimSuffix(b.String(), "\n"))
	return unprinted(err)
}

// shellLine gives words as a line that a POSIX shell reads as just these words.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = templates.Quote(w)
	}
	return strings.Join(quoted, " ")
}
