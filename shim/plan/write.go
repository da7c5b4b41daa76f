package plan

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
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

// bufferSize is how much is printed at once, in bytes: of a million lines each by itself
// would cost more than what is in it.
const bufferSize = 64 << 10

// text prints one line an index on out, and all else on errs.
type text struct {
	out  *bufio.Writer
	show func(string) string // of a line, as out may have it
	errs io.Writer
	line []byte // the one after the other
}

func newText(out, errs io.Writer) output {
	return &text{bufio.NewWriterSize(out, bufferSize), screen.For(out), errs, nil}
}

func (t *text) item(it Planned) error {
	if it.Error != "" {
		screen.Tell(t.errs, "nth: index %d: %s", it.Index, it.Error)
		return nil
	}
	t.line = templates.AppendLine(templates.AppendLine(t.line[:0], it.Env), it.Command)
	line := string(t.line)
	if it.Items != "" {
		line = strings.TrimLeft(line+"\t# items "+it.Items, "\t")
	}
	if given := it.given(); len(given) > 0 {
		line += "\t# " + templates.Line(given)
	}
	b := append(strconv.AppendInt(t.out.AvailableBuffer(), it.Index, 10), '\t')
	_, err := t.out.Write(append(append(b, t.show(line)...), '\n'))
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
	items     encoder
	begun     bool
	manifests []PlannedManifest
	unsaid    int // manifests
}

func newJSON(out io.Writer) output {
	d := &document{out: bufio.NewWriterSize(out, bufferSize)}
	d.items.begin("    ")
	return d
}

func (d *document) item(it Planned) error {
	if d.begun {
		d.out.WriteString(",\n    ")
	} else {
		d.out.WriteString("{\n  \"items\": [\n    ")
	}
	d.begun = true
	return d.items.write(d.out, it)
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

// value writes one value of the document.
func (d *document) value(prefix string, v any) error {
	var e encoder
	e.begin(prefix)
	return e.write(d.out, v)
}

// encoder writes values of one depth.
type encoder struct {
	text bytes.Buffer
	*json.Encoder
}

func (e *encoder) begin(prefix string) {
	e.Encoder = json.NewEncoder(&e.text)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
}

// write writes one; the writer's error is kept until then.
func (e *encoder) write(out *bufio.Writer, v any) error {
	e.text.Reset()
	if err := e.Encode(v); err != nil {
		return unprinted(err)
	}
	_, err := out.Write(bytes.TrimSuffix(e.text.Bytes(), []byte("\n")))
	return unprinted(err)
}
