package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// How large a room may be: what fits into a head.
const (
	mostLines  = 300
	mostFields = 10
)

// files visits every file of the product, tests aside.
func files(t *testing.T, visit func(path string, body []byte)) {
	t.Helper()
	n := 0
	for _, top := range []string{"main.go", "shim", "templates"} {
		err := filepath.WalkDir(filepath.Join(harness.Root(), top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			body, err := os.ReadFile(path)
			n++
			visit(path, body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 200 {
		t.Errorf("only %d files were looked at", n)
	}
}

// TestLines: no file of the product is longer than a person reads at once.
func TestLines(t *testing.T) {
	files(t, func(path string, body []byte) {
		if n := bytes.Count(body, []byte("\n")); n > mostLines {
			t.Errorf("%s has %d lines, more than %d", path, n, mostLines)
		}
	})
}

// a run's packages: what a run does passes through their structs.
var running = []string{"shim", "shim/index", "shim/worker", "shim/shard", "shim/once", "shim/end", "shim/output", "shim/record", "shim/source", "shim/item", "shim/edge", "shim/expand", "shim/proc"}

// told are structs of a run's packages that hold no state: what is handed over, or told, in
// one go.
var told = map[string]bool{"World": true, "Command": true, "Many": true, "Result": true, "Evidence": true}

// TestFields: no struct of a run has more fields than can be kept in mind.
func TestFields(t *testing.T) {
	structs := 0
	files(t, func(path string, body []byte) {
		dir, err := filepath.Rel(harness.Root(), filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, r := range running {
			found = found || r == filepath.ToSlash(dir)
		}
		if !found {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, body, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			s, ok := spec.Type.(*ast.StructType)
			if !ok || told[spec.Name.Name] {
				return true
			}
			structs++
			count := 0
			for _, field := range s.Fields.List {
				count += max(1, len(field.Names))
			}
			if count > mostFields {
				t.Errorf("%s: %s has %d fields, more than %d", path, spec.Name.Name, count, mostFields)
			}
			return true
		})
	})
	if structs < 30 {
		t.Errorf("only %d structs were looked at", structs)
	}
}
