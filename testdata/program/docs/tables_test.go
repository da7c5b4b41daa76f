package docs

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/check"
	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/identity"
	"nth/shim/local"
	"nth/shim/manifest"
	"nth/shim/repair"
	"nth/shim/status"
	"nth/shim/store"
	"nth/templates"
	"nth/testdata/program"
)

var update = flag.Bool("update", false, "write what the pages have from the code: the tables, the Job")

var table = regexp.MustCompile(`(?s)<!-- ([a-z ]+) -->\n(.*?)<!-- end -->`)

// TestTables holds the pages' tables against the code: each table that is made from it
// stands on one page, and no other is marked as one.
func TestTables(t *testing.T) {
	tables := map[string]string{
		"flags":          groupTables(t, &config.Config{}, false),
		"task flags":     groupTables(t, &config.Config{}, true),
		"local flags":    flagTable(t, &local.Config{}, &config.Config{}),
		"manifest flags": flagTable(t, &manifest.Config{}, &config.Config{}),
		"check flags":    flagTable(t, &check.Config{}, nil),
		"status flags":   flagTable(t, &status.Config{}, nil),
		"wait flags":     flagTable(t, &status.WaitConfig{}, nil),
		"reset flags":    flagTable(t, &repair.ResetConfig{}, nil),
		"mark flags":     flagTable(t, &repair.MarkConfig{}, &repair.Config{}),
		"fields":         fieldTable(),
		"functions":      functionTable(),
		"platforms":      platformTable(),
		"exit codes":     codeTable(),
	}
	left := map[string]bool{}
	for name := range tables {
		left[name] = true
	}
	for _, page := range pages(t) {
		text := program.Page(t, page)
		for _, m := range table.FindAllStringSubmatch(text, -1) {
			name, got := m[1], m[2]
			want := tables[name]
			if !left[name] {
				t.Errorf("%s: the code has no table %q, or it is on another page as well", page, name)
			} else if *update {
				text = strings.Replace(text, m[0], "<!-- "+name+" -->\n"+want+"<!-- end -->", 1)
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: table %q differs from the code (go test -run TestTables ./testdata/program/docs -update):\n%s", page, name, diff)
			}
			delete(left, name)
		}
		if *update {
			rewrite(t, page, text)
		}
	}
	for name := range left {
		t.Errorf("table %q is on no page", name)
	}
}

// TestStores: each store is there, with the parameters that it says it has.
func TestStores(t *testing.T) {
	body := program.Page(t, "docs/stores.md")
	for scheme, place := range map[string]string{"file": "/dir", "s3": "bucket/prefix", "gs": "bucket/prefix", "azblob": "container/prefix"} {
		url := scheme + "://" + place
		_, err := store.Open(t.Context(), url+"?no-parameter=1")
		if err == nil {
			t.Fatalf("%s takes any parameter", url)
		}
		_, list, _ := strings.Cut(err.Error(), "there ")
		_, list, _ = strings.Cut(list, " ")
		list = strings.TrimPrefix(list, "just ") // there is just one
		list, _, _ = strings.Cut(list, " (")
		_, line, found := strings.Cut(body, "\n| `"+url+"` |")
		line, _, _ = strings.Cut(line, "\n")
		cells := strings.Split(line, "|")
		if !found || len(cells) < 3 {
			t.Errorf("no row is for %s", url)
			continue
		}
		want := strings.TrimSuffix(list, "=true")
		if diff := cmp.Diff(want, strings.ReplaceAll(strings.TrimSpace(cells[1]), "`", "")); diff != "" {
			t.Errorf("the parameters of %s (-want +got):\n%s", url, diff)
		}
	}
}

func head(cells ...string) *strings.Builder {
	var b strings.Builder
	row(&b, cells...)
	row(&b, strings.Split(strings.Repeat("---,", len(cells)-1)+"---", ",")...)
	return &b
}

func row(b *strings.Builder, cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// flagTable shows the flags of target that without doesn't have.
func flagTable(t *testing.T, target, without any) string {
	t.Helper()
	known := map[string]bool{}
	if without != nil {
		rows, err := flags.Reference(without)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			known[r.Flag] = true
		}
	}
	rows, err := flags.Reference(target)
	if err != nil {
		t.Fatal(err)
	}
	b := head("flag", "variable", "default", "what it does")
	for _, r := range rows {
		if !known[r.Flag] {
			row(b, code(r.Flag), code(r.Env), code(r.Default), r.Help)
		}
	}
	return b.String()
}

// ofTasks are the groups of flags that have a page of their own.
var ofTasks = []string{"Tasks", "HTTP API", "SQL"}

// groupTables shows the flags of target, a table for each group, of tasks or of all else. It
// has no variables: each is NTH_ and the flag's name.
func groupTables(t *testing.T, target any, tasks bool) string {
	t.Helper()
	rows, err := flags.Reference(target)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	groups := map[string]*strings.Builder{}
	for _, r := range rows {
		name, _, _ := strings.Cut(r.Flag, " ")
		if want := flags.Variable(name); r.Env != want {
			t.Errorf("the variable of %s is %q, and the page says %s", r.Flag, r.Env, want)
		}
		if groups[r.Group] == nil {
			names = append(names, r.Group)
			groups[r.Group] = head("flag", "default", "what it does")
		}
		row(groups[r.Group], code(r.Flag), code(r.Default), r.Help)
	}
	var b strings.Builder
	for _, name := range names {
		if slices.Contains(ofTasks, name) != tasks {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s", name, groups[name])
	}
	return b.String() + "\n"
}

func fieldTable() string {
	b := head("field", "what it is")
	for _, f := range templates.FieldDocs {
		row(b, code(f.Name), f.Doc)
	}
	return b.String()
}

func functionTable() string {
	b := head("function", "what it gives", "example", "result")
	for _, f := range templates.Functions {
		row(b, code(f.Usage), f.Doc, code(f.Example), code(f.Result))
	}
	return b.String()
}

func platformTable() string {
	b := head("platform", "`--platform`", "variable", "numbers", "count", "attempt")
	for _, p := range identity.Platforms {
		row(b, p.Title, code(p.Name), code(p.Told()), p.Numbers(), code(p.Count), code(p.Attempt))
	}
	return b.String()
}

func codeTable() string {
	b := head("code", "when", "what a pod failure policy should do")
	for _, m := range failure.Meanings {
		row(b, fmt.Sprint(int(m.Code)), m.When, m.Policy)
	}
	return b.String()
}
