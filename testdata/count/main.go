// Command count reads what `go test -json` prints, one run after the other, shows
// a line for each package and the whole output of each test that failed, lists
// those that were skipped, and ends with the counts alone on a line:
//
//	128 passed, 0 failed, 1 skipped
//
// Only tests without subtests count, so that a table's rows do and the table
// doesn't. It exits 1 when anything failed, a package didn't come to its end, or
// nothing ran at all.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	c := counter{out: os.Stdout, tests: map[test]*state{}}
	if err := c.read(os.Stdin); err != nil {
		fmt.Println("count:", err)
		os.Exit(1)
	}
	if !c.report() {
		os.Exit(1)
	}
}

// event is one line of `go test -json`; see `go doc test2json`, and `go help
// buildjson` for the builds.
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

// test names a test, and with an empty name its whole package.
type test struct{ pkg, name string }

type state struct {
	output   strings.Builder
	result   string // pass, fail or skip; empty until it ended
	subtests bool
}

type counter struct {
	out                     io.Writer
	tests                   map[test]*state
	order                   []test
	build                   strings.Builder // what the compiler said
	passed, failed, skipped int
	broken                  bool // something failed that is no test
}

func (c *counter) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			c.line(line)
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (c *counter) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		c.out.Write(line) // go's own words, such as a module that it can't find
		return
	}
	switch e.Action {
	case "build-output":
		c.build.WriteString(e.Output)
	case "build-fail":
		c.broken = true
	default:
		c.event(e)
	}
}

func (c *counter) event(e event) {
	key := test{e.Package, e.Test}
	s := c.tests[key]
	if s == nil {
		s = &state{}
		c.tests[key] = s
		c.order = append(c.order, key)
		if i := strings.LastIndexByte(e.Test, '/'); i > 0 {
			if parent := c.tests[test{e.Package, e.Test[:i]}]; parent != nil {
				parent.subtests = true
			}
		}
	}
	switch e.Action {
	case "output":
		s.output.WriteString(e.Output)
	case "pass", "fail", "skip":
		s.result = e.Action
		if e.Test == "" && e.Action != "skip" { // skip: no test files
			fmt.Fprintf(c.out, "%-4s %s %.1fs\n", e.Action, e.Package, e.Elapsed)
		}
	}
}

// report prints what is worth reading and the counts, and tells whether all is well.
func (c *counter) report() bool {
	fmt.Fprint(c.out, c.build.String())
	slices.SortStableFunc(c.order, func(a, b test) int { return strings.Compare(a.pkg, b.pkg) })
	var skipped []string
	for _, key := range c.order {
		s := c.tests[key]
		switch {
		case s.result == "" || s.result == "fail":
			c.fail(key, s)
		case key.name == "" || s.subtests:
		case s.result == "skip":
			c.skipped++
			skipped = append(skipped, fmt.Sprintf("skipped: %s %s: %s", key.pkg, key.name, reason(s.output.String())))
		default:
			c.passed++
		}
	}
	for _, line := range skipped {
		fmt.Fprintln(c.out, line)
	}
	fmt.Fprintf(c.out, "%d passed, %d failed", c.passed, c.failed)
	if c.skipped > 0 {
		fmt.Fprintf(c.out, ", %d skipped", c.skipped)
	}
	fmt.Fprintln(c.out)
	return c.failed == 0 && !c.broken && c.passed > 0
}

// fail shows a failed test, or a package that failed without one or never ended.
// A test that never ended was cut off by a panic or a timeout, whose output is its
// package's.
func (c *counter) fail(key test, s *state) {
	name := key.name
	if name == "" {
		c.broken = true
		name = "(the whole package)"
	} else if !s.subtests {
		c.failed++
	}
	verdict := "FAILED"
	if s.result == "" {
		verdict = "DIDN'T END"
	}
	fmt.Fprintf(c.out, "\n%s: %s %s\n%s", verdict, key.pkg, name, s.output.String())
}

// reason gives what a test said when it was skipped.
func reason(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			return line
		}
	}
	return "no reason given"
}
