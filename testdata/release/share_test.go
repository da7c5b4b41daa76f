package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unpacked gives the folder of the manuals and completions.
func unpacked(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	output(t, dir, "tar", "-xzf", filepath.Join(released(t), shareFile))
	return filepath.Join(dir, "share")
}

// nth gives the help of the released program.
func nth(t *testing.T, words ...string) string {
	t.Helper()
	return output(t, ".", append([]string{filepath.Join(released(t), "nth-linux-amd64")}, words...)...)
}

// subcommands are those that the first screen has, and help.
func subcommands(t *testing.T) []string {
	t.Helper()
	list := []string{"help"}
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+) +[a-z]`).FindAllStringSubmatch(nth(t, "help"), -1) {
		if m[1] != "nth" {
			list = append(list, m[1])
		}
	}
	if len(list) < 10 {
		t.Fatalf("the first screen has only %q", list)
	}
	slices.Sort(list)
	return list
}

// helpTopics are those that nth help names when there is no such one.
func helpTopics(t *testing.T) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(nth(t, "help")), "\n")
	list := strings.Split(lines[len(lines)-1], ", ")
	if len(list) < 8 {
		t.Fatalf("the first screen names only %q", list)
	}
	return list
}

// shownFlags are those that the help of a command shows.
func shownFlags(t *testing.T, command string) []string {
	t.Helper()
	list := []string{"--help"}
	for _, m := range regexp.MustCompile(`(?m)^  (--[a-z0-9-]+)`).FindAllStringSubmatch(nth(t, command, "--help=all"), -1) {
		list = append(list, m[1])
	}
	slices.Sort(list)
	return list
}

// TestManuals: there is one for nth, for each command and each topic; two formatters take
// them, and a reader sees the same words as in the help.
func TestManuals(t *testing.T) {
	share := unpacked(t)
	want := []string{"nth.1"}
	for _, c := range subcommands(t) {
		want = append(want, "nth-"+c+".1")
	}
	for _, topic := range helpTopics(t) {
		want = append(want, "nth-"+topic+".7")
	}
	var got, paths []string
	err := filepath.WalkDir(filepath.Join(share, "man"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got, paths = append(got, d.Name()), append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if out := output(t, share, append([]string{"mandoc", "-T", "lint", "-W", "warning"}, paths...)...); out != "" {
		t.Errorf("mandoc: %s", out)
	}
	for _, path := range paths {
		base := filepath.Base(path)
		name := strings.TrimPrefix(strings.TrimSuffix(base, filepath.Ext(base)), "nth-")
		help := ""
		switch {
		case base == "nth.1":
			help = nth(t, "help") + nth(t, "help", "exit-codes")
		case strings.HasSuffix(base, ".7"):
			help = nth(t, "help", name)
		default:
			help = nth(t, name, "--help=all")
		}
		for _, formatter := range [][]string{{"mandoc", "-T", "utf8", path}, {"man", "-l", path}} {
			cmd := exec.Command(formatter[0], formatter[1:]...)
			cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=400", "MANOPT=--nh --nj", "MAN_KEEP_FORMATTING=")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s", cmd, err, out)
			}
			seen := flat(string(out))
			for _, line := range strings.Split(strings.ReplaceAll(help, "Usage: ", ""), "\n") {
				for _, part := range strings.Split(strings.TrimSpace(line), "  ") {
					if part = flat(part); !strings.Contains(seen, part) && !strings.HasPrefix(line, "Example:") {
						t.Errorf("%s shows no %q", formatter, part)
					}
				}
			}
		}
	}
}

// flat is a text without what a formatter does: bold by striking twice, breaks, indents.
func flat(s string) string {
	s = regexp.MustCompile(".\b").ReplaceAllString(s, "")
	return strings.Join(strings.Fields(s), "")
}
