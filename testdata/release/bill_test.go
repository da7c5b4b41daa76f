package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
)

// schemas is the module that carries the forms of CycloneDX, as their makers publish them.
const schemas = "github.com/CycloneDX/cyclonedx-go@v0.12.0"

// validate holds documents against the form, by Python's jsonschema. It must notice a wrong
// one, or it hasn't looked.
const validate = `
import json, sys
from pathlib import Path
from jsonschema import Draft7Validator, RefResolver
forms = {n: json.loads((Path(sys.argv[1]) / "schema" / n).read_text()) for n in ("bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schemax.json")}
form = forms["bom-1.6.schema.json"]
v = Draft7Validator(form, resolver=RefResolver(form["$id"], form, store={f["$id"]: f for f in forms.values()}))
for path in sys.argv[2:]:
    document = json.loads(Path(path).read_text())
    for e in v.iter_errors(document):
        sys.exit(f"{path}: {list(e.path)}: {e.message}")
    document["components"][0]["pedigree"]["patches"][0]["type"] = "no such type"
    if v.is_valid(document):
        sys.exit("a wrong document is taken for a right one")
`

// TestBills: the bills of material have the form that they say, and are of the programs
// beside them.
func TestBills(t *testing.T) {
	dir := released(t)
	var module struct{ Dir string }
	out, err := exec.Command("go", "mod", "download", "-json", schemas).Output()
	if err != nil {
		t.Fatalf("go mod download %s: %v\n%s", schemas, err, out)
	}
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.cdx.json"))
	if err != nil || len(paths) != 2 {
		t.Fatalf("%q, %v", paths, err)
	}
	output(t, dir, append([]string{"python3", "-W", "ignore", "-c", validate, module.Dir}, paths...)...)
	for _, path := range paths {
		program := strings.TrimSuffix(path, ".cdx.json")
		var b bill
		if err := json.Unmarshal(contents(t, path), &b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]hash{{"SHA-256", digest(contents(t, program))}}, b.Metadata.Component.Hashes); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if diff := cmp.Diff(inProgram(t, program), told(b)); diff != "" {
			t.Errorf("%s, by go version -m and by the bill: %s", path, diff)
		}
	}
}

var dependency = regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+).*(\n\t=>\t(\S+))?`)

// inProgram is what Go's own tool says of a program: each module, or what stands in for it.
func inProgram(t *testing.T, path string) map[string]string {
	t.Helper()
	text := output(t, ".", "go", "version", "-m", path)
	list := map[string]string{"std": "pkg:golang/std@" + regexp.MustCompile(`: go(\S+)`).FindStringSubmatch(text)[1]}
	for _, m := range dependency.FindAllStringSubmatch(text, -1) {
		if m[4] != "" {
			list["nth/"+strings.TrimPrefix(m[4], "./")] = "instead of " + m[1] + "@" + m[2]
		} else {
			list[m[1]] = "pkg:golang/" + m[1] + "@" + m[2]
		}
	}
	if len(list) < 15 {
		t.Fatalf("go version says only %v", list)
	}
	return list
}

func told(b bill) map[string]string {
	list := map[string]string{}
	for _, c := range b.Components {
		list[c.Name] = c.URL
		for _, p := range c.Properties {
			if p.Name == "nth:standsInFor" {
				list[c.Name] += "instead of " + p.Value
			}
		}
	}
	return list
}

// TestPatched: each patch that the build applies, and each file that it puts in place of
// Go's own, is told of at the module that is changed, word for word, and nothing else is.
func TestPatched(t *testing.T) {
	var b bill
	if err := json.Unmarshal(contents(t, filepath.Join(released(t), "nth-linux-arm64.cdx.json")), &b); err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, c := range b.Components {
		if c.Pedigree == nil {
			continue
		}
		for _, p := range c.Pedigree.Patches {
			got[c.Name] = append(got[c.Name], p.Diff.Text.Content)
		}
		if c.Pedigree.Notes == "" {
			t.Errorf("%s doesn't say why it is patched", c.Name)
		}
	}
	without := filepath.Join(harness.Root(), ".ci", "without")
	text := func(name string) string {
		body := string(contents(t, filepath.Join(without, name)))
		if _, diff, found := strings.Cut(body, "\n--- a/"); found {
			return "--- a/" + diff
		}
		return body
	}
	want := map[string][]string{
		"std": {text("idna.go.txt")}, "github.com/alecthomas/kong": {text("patches/kong.patch")}, "golang.org/x/oauth2": {text("patches/oauth2.patch")},
		"github.com/lib/pq": {text("patches/pq.patch")}, "github.com/gomodule/redigo": {text("patches/redigo.patch")}, "github.com/go-sql-driver/mysql": {text("patches/mysql.patch")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	files, err := filepath.Glob(filepath.Join(without, "patches", "*"))
	more, err2 := filepath.Glob(filepath.Join(without, "*.txt"))
	if n := len(files) + len(more); n != len(want) || err != nil || err2 != nil {
		t.Errorf("%d files of .ci/without change others' code, and %d are known here", n, len(want))
	}
}

// TestLicences: the terms of Go, and of each module of which code is in a program, are there.
func TestLicences(t *testing.T) {
	dir := released(t)
	text := string(contents(t, filepath.Join(dir, licencesFile)))
	for name, url := range inProgram(t, filepath.Join(dir, "nth-linux-amd64")) {
		if name == "std" {
			name = "Go"
		}
		if has := strings.Contains(text, "\n"+name+": "); has != strings.HasPrefix(url, "pkg:") {
			t.Errorf("%s (%s) has terms: %t", name, url, has)
		}
	}
}
