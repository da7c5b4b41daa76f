package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLists: each mutation has its place and its test, so that the lists can't rot.
func TestLists(t *testing.T) {
	all := mutations()
	if err := check(root(), all); err != nil {
		t.Error(err)
	}
	if len(all) < 60 {
		t.Errorf("only %d mutations", len(all))
	}
}

// TestStale: what is wrong with a list is found.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.go": "package a\nvar x = 1 + 1\n", "a_test.go": "package a\nfunc TestX(t *testing.T) {}\nfunc (s) TestY() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	good := mutation{"x", "a.go", "var x", "var y", ".", "TestX/of it"}
	for _, tt := range []struct {
		name   string
		change func(*mutation)
		says   string
	}{
		{"right", func(*mutation) {}, ""},
		{"no such text", func(m *mutation) { m.old = "var z" }, "0 times"},
		{"twice", func(m *mutation) { m.old = "1" }, "2 times"},
		{"no such file", func(m *mutation) { m.file = "b.go" }, "no such file"},
		{"no change", func(m *mutation) { m.new = m.old }, "changes nothing"},
		{"no such test", func(m *mutation) { m.run = "Test" }, "no test Test"},
		{"a method", func(m *mutation) { m.run = "TestY" }, "no test TestY"},
		{"no such package", func(m *mutation) { m.pkg = "b" }, "no test TestX"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := good
			tt.change(&m)
			err := check(dir, []mutation{m})
			if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
	if err := check(dir, []mutation{good, good}); err == nil || !strings.Contains(err.Error(), "two of this name") {
		t.Errorf("two of a name: %v", err)
	}
}
