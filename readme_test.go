package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/identity"
	"nth/shim/store"
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

// TestReadmeStores: each store is there, with the parameters that it says it has.
func TestReadmeStores(t *testing.T) {
	body, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for scheme, place := range map[string]string{"file": "/dir", "s3": "bucket/prefix", "gs": "bucket/prefix", "azblob": "container/prefix"} {
		url := scheme + "://" + place
		_, err := store.Open(t.Context(), url+"?no-parameter=1")
		if err == nil {
			t.Fatalf("%s takes any parameter", url)
		}
		_, list, _ := strings.Cut(err.Error(), "there ")
		_, list, _ = strings.Cut(list, " ")
		list, _, _ = strings.Cut(list, " (")
		_, line, found := strings.Cut(string(body), "\n| `"+url+"` |")
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

// blocks gives the README's fenced blocks of one language, as they stand.
func blocks(t *testing.T, language string) (found []string) {
	t.Helper()
	body, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(body), "```"+language+"\n")[1:] {
		block, _, ok := strings.Cut(part, "```")
		if !ok {
			t.Fatalf("an open block: %s", part)
		}
		found = append(found, block)
	}
	return found
}

// shell runs a block of the README in the repository's folder.
func shell(t *testing.T, block string, env ...string) string {
	t.Helper()
	cmd := exec.Command("sh", "-ec", block)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", block, err, out)
	}
	return string(out)
}

// TestReadmeCommands runs every command of the README that needs no Docker;
// TestDocker runs the others.
func TestReadmeCommands(t *testing.T) {
	const demo = "/tmp/nth-demo"
	os.RemoveAll(demo)
	t.Cleanup(func() { os.RemoveAll(demo) })
	ran := 0
	for _, block := range blocks(t, "sh") {
		switch {
		case strings.HasPrefix(block, "docker "), strings.Contains(block, "--tasks"): // TestReadmeQueues, TestReadmeEach
		case block == "./testdata/test\n":
			ci, err := os.ReadFile(".ci/run")
			if err != nil || !strings.Contains(string(ci), strings.TrimSpace(block)) {
				t.Errorf(".ci/run doesn't call the README's test command (%v)", err)
			}
		default:
			ran++
			out := shell(t, block)
			if !strings.Contains(block, demo) {
				continue
			}
			if strings.Count(out, "sonnet_") != 5 {
				t.Errorf("the main job over five files printed\n%s", out)
			}
			markers, _ := filepath.Glob(demo + "/markers/done/*.json")
			if len(markers) != 5 {
				t.Errorf("%d markers, want 5", len(markers))
			}
			if again := shell(t, block); strings.Contains(again, "sonnet_") {
				t.Errorf("the second run did it again:\n%s", again)
			}
		}
	}
	if ran < 2 {
		t.Errorf("ran %d commands, want the main job and the plan at least", ran)
	}
}
