// Package docs holds README.md and the pages of docs against the program: their
// commands are run, what they show is what is printed, their tables are the code's.
package docs

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/program"
)

// pages gives every page, by its path in the repository.
func pages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(harness.Root(), "docs", "*.md"))
	if err != nil || len(found) == 0 {
		t.Fatal("there is no docs/*.md", err)
	}
	all := []string{"README.md"}
	for _, f := range found {
		all = append(all, path.Join("docs", filepath.Base(f)))
	}
	return all
}

// block is a fenced block of a page.
type block struct {
	page, language, text string
	from                 string // in a comment before it: the command whose message it is
	after                *block // the command right before it on its page
}

var fence = regexp.MustCompile("(?ms)(?:^<!-- from: ([^\n]*) -->\n)?^```(\\w*)\n(.*?)^```$")

// blocks gives the fenced blocks of a page, in their order.
func blocks(t *testing.T, page string) (found []*block) {
	t.Helper()
	text := program.Page(t, page)
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		b := &block{page: page, from: m[1], language: m[2], text: m[3]}
		if n := len(found); n > 0 && found[n-1].language == "sh" {
			b.after = found[n-1]
		}
		found = append(found, b)
	}
	if strings.Count(text, "```") != 2*len(found) {
		t.Errorf("%s: a block is open, or doesn't stand at the left", page)
	}
	return found
}

// allBlocks gives the blocks of all pages.
func allBlocks(t *testing.T) (found []*block) {
	t.Helper()
	for _, page := range pages(t) {
		found = append(found, blocks(t, page)...)
	}
	return found
}

// TestPages: a page is short enough to be read, and can be reached from the README.
func TestPages(t *testing.T) {
	readme := program.Page(t, "README.md")
	for _, page := range pages(t) {
		limit := 10_000
		if page == "README.md" {
			limit = 9_000
		} else if !strings.Contains(readme, "]("+page+")") {
			t.Errorf("README.md has no link to %s", page)
		}
		if strings.Contains(fence.ReplaceAllString(program.Page(t, page), "block"), "\n\n\n") {
			t.Errorf("%s has two blank lines in a row", page)
		}
		if n := len(program.Page(t, page)); n > limit {
			t.Errorf("%s has %d bytes, and %d at most are meant", page, n, limit)
		}
	}
}

// rewrite replaces a page.
func rewrite(t *testing.T, page, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(harness.Root(), page), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
