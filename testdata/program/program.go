// Package program is what the tests of the whole program share: each folder below is a
// subject, whose tests run the binary as it is released.
package program

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/servers"
)

// MainAtOnce is the TestMain of a subject whose parallel tests wait for clocks more than for
// cores: so many run at once.
func MainAtOnce(m *testing.M, tests int) {
	if err := flag.Set("test.parallel", strconv.Itoa(tests)); err != nil { // -parallel comes later
		panic(err)
	}
	Main(m)
}

// Main is the TestMain of every subject.
func Main(m *testing.M) {
	nth, err := harness.Binary()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, e := range servers.S3Env() { // for the tests' own look into a store
		name, value, _ := strings.Cut(e, "=")
		os.Setenv(name, value)
	}
	code := m.Run()
	os.RemoveAll(filepath.Dir(nth))
	os.Exit(code)
}

// Nth runs the released binary with just the variables given, and gives what it
// wrote and its exit code.
func Nth(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return NthIn(t, "", env, args...)
}

// NthIn is Nth in a working directory.
func NthIn(t *testing.T, dir string, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	path, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = dir, append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Page gives a page that stands in the repository, by its path there.
func Page(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(harness.Root(), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Recipe gives the block of a language in docs/platforms.md before which its section has a word.
func Recipe(t testing.TB, language, word string) string {
	t.Helper()
	const page = "docs/platforms.md"
	parts := strings.Split(Page(t, page), "\n```"+language+"\n")
	for i, part := range parts[1:] {
		body, _, closed := strings.Cut(part, "\n```\n")
		if before := parts[i]; closed && strings.Contains(before[strings.LastIndex(before, "\n## "):], word) {
			return body + "\n"
		}
	}
	t.Fatalf("%s has no block of %s for %s", page, language, word)
	return ""
}
