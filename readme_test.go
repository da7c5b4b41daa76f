package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/identity"
	"nth/templates"
)

var update = flag.Bool("update", false, "write the README's reference tables from the code")

// TestReadmeReference holds the README's tables against the code.
func TestReadmeReference(t *testing.T) {
	body, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	for name, want := range map[string]string{
		"flags":       flagTable(t, &shim.Config{}, nil),
		"local flags": flagTable(t, &localFlags{}, &shim.Config{}),
		"fields":      fieldTable(),
		"functions":   functionTable(),
		"platforms":   platformTable(),
		"exit codes":  codeTable(),
	} {
		begin := "<!-- " + name + " -->\n"
		head, rest, ok := strings.Cut(text, begin)
		got, tail, end := strings.Cut(rest, "<!-- end -->")
		if !ok || !end {
			t.Fatalf("README.md has no table %q", name)
		}
		if *update {
			text = head + begin + want + "<!-- end -->" + tail
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("table %q differs from the code (go test -run TestReadmeReference . -update):\n%s", name, diff)
		}
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func table(head ...string) *strings.Builder {
	var b strings.Builder
	row(&b, head...)
	row(&b, strings.Split(strings.Repeat("---,", len(head)-1)+"---", ",")...)
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
	b := table("flag", "variable", "default", "what it does")
	for _, r := range rows {
		if !known[r.Flag] {
			row(b, code(r.Flag), code(r.Env), code(r.Default), r.Help)
		}
	}
	return b.String()
}

func fieldTable() string {
	b := table("field", "what it is")
	for _, f := range templates.FieldDocs {
		row(b, code(f.Name), f.Doc)
	}
	return b.String()
}

func functionTable() string {
	b := table("function", "what it gives", "example", "result")
	for _, f := range templates.Functions {
		row(b, code(f.Usage), f.Doc, code(f.Example), code(f.Result))
	}
	return b.String()
}

func platformTable() string {
	b := table("platform", "`--platform`", "variable", "numbers", "count", "attempt")
	for _, p := range identity.Platforms {
		numbers := "as the user chose"
		if p.Fixed {
			numbers = fmt.Sprintf("from %d", p.Base)
		}
		row(b, p.Title, code(p.Name), code(p.Variable), numbers, code(p.Count), code(p.Attempt))
	}
	return b.String()
}

func codeTable() string {
	b := table("code", "when", "what a pod failure policy should do")
	for _, m := range failure.Meanings {
		row(b, fmt.Sprint(int(m.Code)), m.When, m.Policy)
	}
	return b.String()
}
