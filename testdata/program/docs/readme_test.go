package docs

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	"nth/testdata/harness"
	"nth/testdata/program"
)

var update = flag.Bool("update", false, "write the README's reference tables from the code")

// TestReadmeReference holds the README's tables against the code.
func TestReadmeReference(t *testing.T) {
	text := program.Page(t, "README.md")
	for name, want := range map[string]string{
		"flags":          flagTable(t, &config.Config{}, nil),
		"local flags":    flagTable(t, &local.Config{}, &config.Config{}),
		"manifest flags": flagTable(t, &manifest.Config{}, &config.Config{}),
		"status flags":   flagTable(t, &status.Config{}, nil),
		"reset flags":    flagTable(t, &repair.Config{}, nil),
		"mark flags":     flagTable(t, &repair.MarkConfig{}, &repair.Config{}),
		"fields":         fieldTable(),
		"functions":      functionTable(),
		"platforms":      platformTable(),
		"exit codes":     codeTable(),
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
			t.Errorf("table %q differs from the code (go test -run TestReadmeReference ./testdata/program/docs -update):\n%s", name, diff)
		}
	}
	if *update {
		rewrite(t, text)
	}
}

// rewrite replaces the README.
func rewrite(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(harness.Root(), "README.md"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestReadmeManifest: the README's Job is what its first command prints, and the repair
// is of what is missing.
func TestReadmeManifest(t *testing.T) {
	const dir = "/tmp/nth-repair"
	os.RemoveAll(dir)
	t.Cleanup(func() { os.RemoveAll(dir) })
	var printed []string
	for _, block := range blocks(t, "sh") {
		if !strings.Contains(block, " manifest ") {
			continue
		}
		cmd := exec.Command("sh", "-ec", block)
		cmd.Dir = harness.Root()
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", block, err)
		}
		printed = append(printed, string(out))
	}
	if len(printed) != 2 || !strings.Contains(printed[1], `{ name: NTH_INDEXES, value: "3,4" }`) {
		t.Fatalf("the README's commands print %q", printed)
	}
	shown := blocks(t, "yaml")[0]
	if *update {
		rewrite(t, strings.Replace(program.Page(t, "README.md"), shown, printed[0], 1))
	} else if diff := cmp.Diff(printed[0], shown); diff != "" {
		t.Errorf("the manifest differs (go test -run TestReadmeManifest ./testdata/program/docs -update):\n%s", diff)
	}
}

// TestReadmeStores: each store is there, with the parameters that it says it has.
func TestReadmeStores(t *testing.T) {
	body := program.Page(t, "README.md")
	for scheme, place := range map[string]string{"file": "/dir", "s3": "bucket/prefix", "gs": "bucket/prefix", "azblob": "container/prefix"} {
		url := scheme + "://" + place
		_, err := store.Open(t.Context(), url+"?no-parameter=1")
		if err == nil {
			t.Fatalf("%s takes any parameter", url)
		}
		_, list, _ := strings.Cut(err.Error(), "there ")
		_, list, _ = strings.Cut(list, " ")
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
	for _, part := range strings.Split(program.Page(t, "README.md"), "```"+language+"\n")[1:] {
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
	cmd.Dir = harness.Root()
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
		case strings.HasPrefix(block, "docker "), strings.Contains(block, "--tasks"), isAgain(block): // TestReadmeQueues, TestReadmeEach, TestReadmeAgain
		case strings.Contains(block, " manifest "): // TestReadmeManifest
		case block == "./testdata/test\n":
			if !strings.Contains(program.Page(t, ".ci/run"), strings.TrimSpace(block)) {
				t.Error(".ci/run doesn't call the README's test command")
			}
		case strings.Contains(block, "go run . status "):
			ran++
			out := shell(t, block)
			want := []string{"5 of 5 settled (100%)"}
			if strings.Contains(block, "--index 3") {
				want = []string{"index 3: done", "command: wc -w testdata/examples/sonnet_3.txt", "\n5,6\n"}
			}
			for _, w := range want {
				if !strings.Contains(out, w) {
					t.Errorf("%s doesn't print %q, but\n%s", block, w, out)
				}
			}
		case strings.Contains(block, "go run . reset "), strings.Contains(block, "go run . mark "):
			ran++
			if out := shell(t, block); !strings.HasSuffix(out, ": 3\n") {
				t.Errorf("%s printed %s", block, out)
			}
		default:
			ran++
			out := shell(t, block, "GOFLAGS=-buildvcs=false")
			if strings.Contains(block, "CREATE TABLE users") {
				partition(t, out)
			}
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
	if ran < 4 {
		t.Errorf("ran %d commands, want the main job, the plan, the check and a database's partition at least", ran)
	}
}

// partition: each of the users was handled by one index, and all indexes had some.
func partition(t *testing.T, out string) {
	t.Helper()
	users, indexes := map[string]int{}, map[string]bool{}
	for line := range strings.Lines(out) {
		if index, user, ok := strings.Cut(strings.TrimSpace(line), " user-"); ok {
			users[user]++
			indexes[index] = true
		}
	}
	for n := range 20 {
		if times := users[fmt.Sprint(n+1)]; times != 1 {
			t.Errorf("user %d was handled %d times", n+1, times)
		}
	}
	if len(users) != 20 || len(indexes) != 5 {
		t.Errorf("%d users were handled by %d indexes:\n%s", len(users), len(indexes), out)
	}
}
