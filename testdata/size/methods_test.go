package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// TestNoMethodsByName: nothing in the release looks methods up by names that it learns at
// run time, as text/template and kong's Parse do. Whatever does has the linker keep every
// exported method of every type: 2.3 MB.
func TestNoMethodsByName(t *testing.T) {
	build := exec.Command(filepath.Join(harness.Root(), ".ci", "build"), filepath.Join(t.TempDir(), "nth"))
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOFLAGS=", "STRIP=-s -w -dumpdep", "VERSION=v0.0.0", "COMMIT=0")
	said, err := build.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	build.Stdout = build.Stderr // the linker's dump may be on either
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for lines := bufio.NewScanner(said); lines.Scan(); {
		from, to, ok := strings.Cut(lines.Text(), " -> ")
		if ok {
			kept++
		}
		if strings.Contains(to, " <ReflectMethod>") {
			t.Errorf("%s is in the release, by way of %s", strings.Fields(to)[0], from)
		}
	}
	if err := build.Wait(); err != nil {
		t.Fatal(err)
	}
	if kept < 10_000 {
		t.Errorf("the linker tells of %d references alone: the test can't see", kept)
	}
}
