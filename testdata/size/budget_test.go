package main

import (
	"bufio"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"nth/testdata/harness"
)

var update = flag.Bool("update", false, "write the release's size into the budget")

func TestMain(m *testing.M) {
	code := m.Run()
	if nth, err := harness.Binary(); err == nil {
		os.RemoveAll(filepath.Dir(nth))
	}
	os.Exit(code)
}

const budgetFile = "budget"

// budget gives the figures of one name.
func budget(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(budgetFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == name {
			return words[1:]
		}
	}
	t.Fatalf("%s has no line %q", budgetFile, name)
	return nil
}

func figures(t *testing.T, name string) []int {
	t.Helper()
	var list []int
	for _, word := range budget(t, name) {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatalf("%s: %s: %v", budgetFile, name, err)
		}
		list = append(list, n)
	}
	return list
}

// within compares with the budget, of which each figure is a limit.
func within(t *testing.T, name string, got ...int) {
	t.Helper()
	t.Logf("%s: %v", name, got)
	for i, limit := range figures(t, name) {
		if got[i] > limit {
			t.Errorf("%s: %v, and the budget is %v: make it less, or write into testdata/size/%s why it must be so", name, got, figures(t, name), budgetFile)
			return
		}
	}
}

// TestReleaseSize: the release is just as large as the budget says, built by the Go
// that it names; where that isn't the one at hand, go fetches it.
func TestReleaseSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nth")
	if err := release(path, "", budget(t, "go")[0]); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	size, want := int(info.Size()), figures(t, "bytes")[0]
	within(t, "bytes-limit", size)
	if size == want {
		return
	}
	if !*update {
		t.Fatalf("the release has %d bytes, %+d against the budget: go run ./testdata/size shows whose they are, go test ./testdata/size -run TestReleaseSize -update writes the figure, and the commit says why", size, size-want)
	}
	old, err := os.ReadFile(budgetFile)
	if err != nil {
		t.Fatal(err)
	}
	changed := regexp.MustCompile(`(?m)^bytes \d+$`).ReplaceAll(old, []byte("bytes "+strconv.Itoa(size)))
	if err := os.WriteFile(budgetFile, changed, 0o666); err != nil {
		t.Fatal(err)
	}
}
