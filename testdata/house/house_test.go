// Package house holds the plan of the house in CONTRIBUTING.md against the code.
package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// rooms reads the plan: the floor of each package.
func rooms(t *testing.T) map[string]int {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(harness.Root(), "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(body), "<!-- house -->\n")
	table, _, found := strings.Cut(table, "<!-- end -->")
	if !found {
		t.Fatal("CONTRIBUTING.md has no plan")
	}
	floors := map[string]int{}
	name := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		floor, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue // the head
		}
		for _, m := range name.FindAllStringSubmatch(cells[2], -1) {
			if floors[m[1]] != 0 {
				t.Errorf("%s is there twice", m[1])
			}
			floors[m[1]] = floor
		}
	}
	floors["nth"] = floors["main.go"]
	delete(floors, "main.go")
	return floors
}

// pkg is what `go list` tells of a package.
type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) (list []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = harness.Root()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// TestFloors: each package has its room, and imports only what stands below it.
func TestFloors(t *testing.T) {
	floors := rooms(t)
	room := func(path string) string { return strings.TrimPrefix(path, "nth/") }
	seen := map[string]bool{}
	arrows := 0
	for _, p := range packages(t) {
		here := floors[room(p.ImportPath)]
		seen[room(p.ImportPath)] = true
		if here == 0 {
			t.Errorf("%s has no room in CONTRIBUTING.md", p.ImportPath)
		}
		for _, i := range p.Imports {
			if !strings.HasPrefix(i, "nth/") {
				continue
			}
			arrows++
			if below := floors[room(i)]; below >= here {
				t.Errorf("%s on floor %d imports %s on floor %d", p.ImportPath, here, i, below)
			}
		}
	}
	for name := range floors {
		if !seen[name] {
			t.Errorf("there is no package %s", name)
		}
	}
	if len(seen) < 40 || arrows < 200 {
		t.Errorf("only %d packages and %d imports were looked at", len(seen), arrows)
	}
}
