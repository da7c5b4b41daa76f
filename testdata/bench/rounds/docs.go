package rounds

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What the docs show, by its paths in the repository: the page and the drawing are made
// from the figures, so that none of them is written by hand.
const (
	Figures = "testdata/bench/measured.json"
	Page    = "docs/speed.md"
	Drawing = "docs/bench.svg"
)

// Read gives the results in a file of JSON.
func Read(path string) (results []*Result, err error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return results, json.Unmarshal(body, &results)
}

// Write writes the results as JSON.
func Write(path string, results []*Result) error {
	body, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(body, '\n'), 0o644)
}

// Publish puts results into the docs in the tree at root: those of the same subjects are
// replaced, and what another build took isn't kept.
func Publish(root string, measured []*Result) error {
	results, err := Read(filepath.Join(root, Figures))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, r := range measured {
		results = slices.DeleteFunc(results, func(old *Result) bool { return old.Subject == r.Subject })
	}
	for _, r := range measured {
		results = append(results, r.alone())
	}
	page, err := os.ReadFile(filepath.Join(root, Page))
	if err != nil {
		return err
	}
	place := func(r *Result) int { return strings.Index(string(page), fmt.Sprintf(begin, r.Subject)) }
	slices.SortStableFunc(results, func(a, b *Result) int { return cmp.Compare(place(a), place(b)) })
	if err := Write(filepath.Join(root, Figures), results); err != nil {
		return err
	}
	filled, err := Fill(string(page), results)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, Page), []byte(filled), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, Drawing), []byte(SVG(results)), 0o644)
}

// alone is the result without what another build took.
func (r *Result) alone() *Result {
	out := *r
	out.Rows = slices.DeleteFunc(slices.Clone(r.Rows), func(row Row) bool { return row.Against })
	out.Aims = slices.DeleteFunc(slices.Clone(r.Aims), func(a Met) bool { return strings.HasSuffix(a.Over, against) })
	return &out
}

// The place of a subject's tables in a page.
const (
	begin = "<!-- bench: %s -->\n"
	end   = "<!-- bench end -->"
)

// Fill puts the tables of results into their places in a page.
func Fill(page string, results []*Result) (string, error) {
	tables := map[string]string{}
	for _, r := range results {
		tables[r.Subject] += fmt.Sprintf("%s (%s):\n\n%s\n", r.Title, r.Machine(), r.Markdown())
	}
	for subject, text := range tables {
		before, rest, ok := strings.Cut(page, fmt.Sprintf(begin, subject))
		if !ok {
			continue // a subject that the page doesn't show
		}
		_, after, ok := strings.Cut(rest, end)
		if !ok {
			return "", fmt.Errorf("%s: what begins with <!-- bench: %s --> has no %s", Page, subject, end)
		}
		page = before + fmt.Sprintf(begin, subject) + strings.TrimSuffix(text, "\n") + end + after
	}
	return page, nil
}
