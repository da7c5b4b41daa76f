package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/bench/rounds"
	"nth/testdata/harness"
)

// TestLocal: a small run of one subject, with this build against itself. What it measures
// is nobody's concern here; that each way has its row, and each row its figures, is.
func TestLocal(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(filepath.Dir(nth))
	file := filepath.Join(t.TempDir(), "results.json")
	var out, errs bytes.Buffer
	if code := run([]string{"-only", "local", "-n", "2", "-scale", "0.02", "-against", nth, "-json", file}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	results, err := rounds.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	table := results[0]
	var names []string
	for _, row := range table.Rows {
		names = append(names, row.Name)
		if (row.Gain != nil) != row.Against {
			t.Errorf("%s: another build's row, and only that, is held against this one's: %+v", row.Name, row)
		}
		for i, c := range row.Cells {
			if c == nil || !(0 < c.Least && c.Least <= c.Median && c.Median <= c.Most) {
				t.Errorf("%s: %s is %+v", row.Name, table.Columns[i].Name, c)
			}
		}
	}
	isolated := func(name string) bool { return strings.Contains(name, "--isolated") } // not every build has it
	want := []string{"nth local", "nth local (against)", "nth local, markers", "nth local, markers (against)",
		"nth run --each, markers", "nth run --each, markers (against)", "xargs -P", "GNU parallel --joblog"}
	if diff := cmp.Diff(want, slices.DeleteFunc(names, isolated)); diff != "" {
		t.Error(diff)
	}
	if got := *table.Rows[0].Times; table.Base != "nth local" || got != (rounds.Spread{Least: 1, Median: 1, Most: 1}) {
		t.Errorf("the base is %s, and %+v of itself", table.Base, got)
	}
	if got := strings.Count(out.String(), "\n  aim "); got != 4 {
		t.Errorf("%d aims, not 4:\n%s", got, &out)
	}
	holds(t, rounds.SVG(results), "nth local", "xargs -P", "10 × true on one machine, 2 at a time")
}

// TestRefused: what isn't there is said at once.
func TestRefused(t *testing.T) {
	for _, args := range [][]string{{"-only", "local,globe"}, {"-rounds", "5"}} {
		var out, errs bytes.Buffer
		if code := run(args, &out, &errs); code != 64 || errs.Len() == 0 {
			t.Errorf("%q: exit code %d, %q", args, code, &errs)
		}
	}
}

// TestDocs: the page's tables and its drawing are those of the figures, and say where they
// are from in words that name no machine.
func TestDocs(t *testing.T) {
	root := harness.Root()
	results, err := rounds.Read(filepath.Join(root, rounds.Figures))
	if err != nil {
		t.Fatal(err)
	}
	read := func(path string) string {
		body, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	page, drawing := read(rounds.Page), read(rounds.Drawing)
	filled, err := rounds.Fill(page, results)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(filled, page); diff != "" {
		t.Errorf("%s isn't what -docs makes of the figures: %s", rounds.Page, diff)
	}
	if diff := cmp.Diff(rounds.SVG(results), drawing); diff != "" {
		t.Errorf("%s isn't what -docs makes of the figures: %s", rounds.Drawing, diff)
	}
	if !strings.Contains(page, "]("+filepath.Base(rounds.Drawing)+")") {
		t.Errorf("%s doesn't show %s", rounds.Page, rounds.Drawing)
	}
	holds(t, drawing)
	machine := regexp.MustCompile(`^[0-9]+ cores, [A-Z][a-z]+, one machine, 20[0-9]{2}-[01][0-9]-[0-3][0-9]$`)
	shown := map[string]bool{}
	for _, r := range results {
		shown[r.Subject] = true
		if !machine.MatchString(r.Machine()) || !strings.Contains(page, r.Machine()) {
			t.Errorf("%s: %s doesn't say, or not in neutral words, where that was measured: %q", rounds.Page, r.Title, r.Machine())
		}
	}
	host, _ := os.Hostname()
	for _, text := range []string{page, drawing, read(rounds.Figures)} {
		if word := regexp.MustCompile(`/(?:tmp|root|home|work|usr)/\S*|127\.0\.0\.1\S*`).FindString(text); word != "" {
			t.Errorf("the docs have a path or an address of a machine: %s", word)
		}
		if len(host) > 3 && strings.Contains(text, host) {
			t.Errorf("the docs have the name of a machine: %s", host)
		}
	}
	for _, s := range subjects[:usual] {
		if !shown[s.Name] || !strings.Contains(page, "<!-- bench: "+s.Name+" -->") {
			t.Errorf("%s doesn't show %s", rounds.Page, s.Name)
		}
	}
}

// holds: a drawing is small and well-formed, has no script and nothing from elsewhere, is
// made for light and dark pages, and all of it is inside of it.
func holds(t *testing.T, drawing string, words ...string) {
	t.Helper()
	if n := len(drawing); n > 20_000 {
		t.Errorf("the drawing has %d bytes", n)
	}
	if !strings.Contains(drawing, "prefers-color-scheme:dark") {
		t.Error("the drawing has no colours for a dark page")
	}
	var texts []string
	var width, height float64
	for d := xml.NewDecoder(strings.NewReader(drawing)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the drawing isn't XML: %v\n%s", err, drawing)
		}
		switch e := token.(type) {
		case xml.CharData:
			texts = append(texts, string(e))
		case xml.StartElement:
			at := map[string]float64{}
			for _, a := range e.Attr {
				at[a.Name.Local], _ = strconv.ParseFloat(a.Value, 64)
				if strings.Contains(a.Name.Local, "href") || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("the drawing reaches out of itself: %s", a.Name.Local)
				}
			}
			switch e.Name.Local {
			case "svg":
				width, height = at["width"], at["height"]
			case "title", "style":
			case "text", "rect":
				if at["x"] < 0 || at["x"]+at["width"] > width-60 || at["y"]+at["height"] > height {
					t.Errorf("%s at %v is not in %v × %v", e.Name.Local, at, width, height)
				}
			default:
				t.Errorf("the drawing has an element %s", e.Name.Local)
			}
		}
	}
	for _, word := range words {
		if !slices.Contains(texts, word) {
			t.Errorf("the drawing has no %q in %q", word, texts)
		}
	}
}
